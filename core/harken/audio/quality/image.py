"""How two channels relate, over the whole and in windows of 400 ms."""

from math import log10, sqrt
from typing import Final

import numpy as np

from harken.audio.blocks import Floats
from harken.audio.kernel import kernel
from harken.audio.quality.result import StereoImage

# Windows whose quieter channel is below this RMS say nothing about correlation: −60 dBFS.
LEAST_RMS: Final = 10.0 ** (-60.0 / 20.0)
# The difference of two copies that were dithered to 16 bits each, and no more: two steps at most.
NEARLY: Final = np.float32(2.5 * 2.0**-15)
NEARLY_DB: Final = 50.0  # and so far below their sum
CHUNK: Final = 1024


class Image:
    """Follows the two channels of stereo sound."""

    def __init__(self) -> None:
        self._left = self._right = self._both = 0.0
        self._sum_left = self._sum_right = 0.0
        self._count = 0
        self._unequal = self._far = 0
        self._lowest: float | None = None

    def add(self, left: Floats, right: Floats) -> None:
        """Take in a window of both."""
        count = left.shape[0]
        sum_left, sum_right, squares_left, squares_right, both, unequal, far = _walk(left, right)
        correlation = _correlation(sum_left, sum_right, squares_left, squares_right, both, count)
        least = LEAST_RMS**2 * count
        if correlation is not None and min(squares_left, squares_right) >= least:
            lowest = correlation if self._lowest is None else min(self._lowest, correlation)
            self._lowest = lowest
        self._sum_left += sum_left
        self._sum_right += sum_right
        self._left += squares_left
        self._right += squares_right
        self._both += both
        self._unequal += unequal
        self._far += far
        self._count += count

    def finish(self) -> StereoImage:
        """The group; of silence nothing can be said."""
        left, right, both = self._left, self._right, self._both
        if left + right == 0.0:
            return StereoImage()
        mid, side = (left + right + 2 * both) / 4, max((left + right - 2 * both) / 4, 0.0)
        nearly = self._far == 0 and side <= mid * 10.0 ** (-NEARLY_DB / 10.0)
        return StereoImage(
            correlation=_correlation(
                self._sum_left, self._sum_right, left, right, both, self._count
            ),
            correlation_min=self._lowest,
            side_to_mid_db=_ratio_db(side, mid),
            mono_loss_db=_ratio_db((left + right) / 2, mid),
            balance_db=_ratio_db(left, right),
            identical=self._unequal == 0,
            nearly_identical=nearly,
        )


def _ratio_db(power: float, other: float) -> float | None:
    """None where one of them is nothing, or rounding."""
    least = 1e-15 * max(power, other)
    return 10.0 * log10(power / other) if power > least and other > least else None


def _correlation(
    sum_left: float, sum_right: float, left: float, right: float, both: float, count: int
) -> float | None:
    """Pearson's; None where a channel does not move."""
    if count == 0:
        return None
    variance_left, variance_right = left - sum_left**2 / count, right - sum_right**2 / count
    if variance_left <= 1e-7 * left or variance_right <= 1e-7 * right:
        return None
    found = (both - sum_left * sum_right / count) / sqrt(variance_left * variance_right)
    return max(-1.0, min(1.0, found))


@kernel
def _walk(left: Floats, right: Floats) -> tuple[float, float, float, float, float, int, int]:
    """Both sums, sums of squares, sum of products; samples that differ at all, and by more than dither."""
    sums_left, sums_right, all_left, all_right, all_both = 0.0, 0.0, 0.0, 0.0, 0.0
    unequal, far = 0, 0
    for start in range(0, left.shape[0], CHUNK):
        one, other = left[start : start + CHUNK], right[start : start + CHUNK]
        zero = np.float32(0.0)
        sum_left, sum_right, squares_left, squares_right, both = zero, zero, zero, zero, zero
        differs, beyond = np.int32(0), np.int32(0)
        for at in range(one.shape[0]):
            sum_left += one[at]
            sum_right += other[at]
            squares_left += one[at] * one[at]
            squares_right += other[at] * other[at]
            both += one[at] * other[at]
            apart = abs(one[at] - other[at])
            differs += np.int32(apart > np.float32(0.0))
            beyond += np.int32(apart > NEARLY)
        sums_left += float(sum_left)
        sums_right += float(sum_right)
        all_left += float(squares_left)
        all_right += float(squares_right)
        all_both += float(both)
        unequal += differs
        far += beyond
    return sums_left, sums_right, all_left, all_right, all_both, int(unequal), int(far)
