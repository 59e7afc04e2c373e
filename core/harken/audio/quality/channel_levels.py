"""Sums, peaks, zeros and used bits of one channel, in one walk over it."""

from typing import Final

import numpy as np

from harken.audio.blocks import Floats
from harken.audio.kernel import kernel
from harken.audio.levels import largest_magnitude

MOST_BITS: Final = 24  # a float32 holds no more
_STEPS: Final = np.float32(2.0 ** (MOST_BITS - 1))
# From here on a sample is no 24-bit number anyhow, and its steps leave an int32.
LARGEST: Final = 255.0
LEAST_WINDOWS: Final = 5  # in fewer a mean may be that of a single swing, as of a drum
STEADY: Final = 0.5  # of the mean: by how much those of windows may deviate
CHUNK: Final = 1024  # samples summed as floats before they join the rest


class ChannelLevels:
    """What is summed up of one channel."""

    def __init__(self) -> None:
        self.sum = 0.0
        self.squares = 0.0
        self.peak = 0.0
        self.windows = 0
        self.means = 0.0  # squares of the means of windows
        self.zeros = 0
        self.over = 0
        self.used = 0  # bits of the 24-bit numbers that were ever 1
        self.finer = False  # a sample lies between two 24-bit numbers

    def add(self, samples: Floats) -> None:
        """Take in a window."""
        total, squares, peak, zeros, over, used, finer = _walk(samples)
        self.sum += total
        self.windows += 1
        self.means += (total / max(samples.shape[0], 1)) ** 2
        self.squares += squares
        self.peak = max(self.peak, peak)
        self.zeros += zeros
        self.over += over
        self.used |= used
        self.finer = self.finer or finer

    def is_steady(self, mean: float) -> bool:
        """Whether the windows' means are near that of the whole."""
        if self.windows < LEAST_WINDOWS:
            return False
        return max(self.means / self.windows - mean**2, 0.0) <= (STEADY * mean) ** 2

    @property
    def bits(self) -> int | None:
        """Bits that its samples need; None for silence, and for more than 24 or floating point."""
        if self.finer or self.used == 0:
            return None
        return max(MOST_BITS - ((self.used & -self.used).bit_length() - 1), 1)


@kernel
def _walk(samples: Floats) -> tuple[float, float, float, int, int, int, bool]:
    total, squares_of_all, peak = 0.0, 0.0, 0.0
    zeros, over, used, between = 0, 0, np.int32(0), np.int32(0)
    for start in range(0, samples.shape[0], CHUNK):
        part = samples[start : start + CHUNK]
        sum_, squares = np.float32(0.0), np.float32(0.0)
        none = np.int32(0)
        for at in range(part.shape[0]):
            sum_ += part[at]
            squares += part[at] * part[at]
            none += np.int32(part[at] == np.float32(0.0))
        total += float(sum_)
        squares_of_all += float(squares)
        zeros += none
        largest = largest_magnitude(part)
        peak = max(peak, largest)
        if largest > 1.0:
            for at in range(part.shape[0]):
                over += int(abs(part[at]) > np.float32(1.0))
        if largest >= LARGEST:
            between |= np.int32(1)
        if between == 0:
            for at in range(part.shape[0]):
                steps = part[at] * _STEPS
                whole = np.int32(steps)
                used |= whole
                between |= np.int32(np.float32(whole) != steps)
    return total, squares_of_all, peak, int(zeros), over, int(used), bool(between)
