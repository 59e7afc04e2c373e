"""Mean and spread of values that arrive in blocks."""

import numpy as np

from harken.audio.blocks import Doubles, Floats
from harken.audio.kernel import kernel


class Moments:
    """Running mean and population standard deviation, row by row.

    Chan, Golub, LeVeque (1979), "Updating formulae and a pairwise algorithm for computing sample
    variances": merging block means stays exact where a sum of squares would cancel.
    """

    def __init__(self) -> None:
        self.count = 0
        self._mean: Doubles = np.zeros(0)
        self._squares: Doubles = np.zeros(0)

    def add(self, values: Floats) -> None:
        """Take in `values` of shape (rows, n)."""
        if self.count == 0:
            self._mean = np.zeros(values.shape[0])
            self._squares = np.zeros(values.shape[0])
        _merge(values, self.count, self._mean, self._squares)
        self.count += values.shape[1]

    @property
    def mean(self) -> tuple[float, ...]:
        """The mean of each row; empty before the first block."""
        return tuple(self._mean.tolist())

    @property
    def std(self) -> tuple[float, ...]:
        """The population standard deviation of each row; empty before the first block."""
        return tuple(np.sqrt(self._squares / max(self.count, 1)).tolist())


@kernel
def _merge(values: Floats, before: int, means: Doubles, squares: Doubles) -> None:
    """Bring `means` and sums of squared deviations of `before` values each up to `values`."""
    count = values.shape[1]
    if count == 0:
        return
    for row in range(values.shape[0]):
        line = values[row]
        total = 0.0
        for at in range(count):
            total += line[at]
        mean = total / count
        deviations = 0.0
        for at in range(count):
            deviations += (line[at] - mean) ** 2
        shift = mean - means[row]
        squares[row] += deviations + shift**2 * (before * count / (before + count))
        means[row] += shift * (count / (before + count))
