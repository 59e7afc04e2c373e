"""Mean and spread of values that arrive in blocks."""

import numpy as np
from numpy.typing import NDArray

from harken.audio.blocks import Doubles, Floats


class Moments:
    """Running mean and population standard deviation, column by column.

    Chan, Golub, LeVeque (1979), "Updating formulae and a pairwise algorithm for computing sample
    variances": merging block means stays exact where a sum of squares would cancel.
    """

    def __init__(self) -> None:
        self.count = 0
        self._mean: Doubles = np.zeros(0)
        self._squares: Doubles = np.zeros(0)

    def add(self, values: Floats | Doubles) -> None:
        """Take in `values` of shape (n, columns)."""
        block: NDArray[np.float64] = np.asarray(values, dtype=np.float64)
        count = block.shape[0]
        if count == 0:
            return
        mean = block.mean(axis=0)
        squares = ((block - mean) ** 2).sum(axis=0)
        if self.count == 0:
            self.count, self._mean, self._squares = count, mean, squares
            return
        total = self.count + count
        shift = mean - self._mean
        self._squares = self._squares + squares + shift**2 * (self.count * count / total)
        self._mean = self._mean + shift * (count / total)
        self.count = total

    @property
    def mean(self) -> tuple[float, ...]:
        """The mean of each column; empty before the first block."""
        return tuple(self._mean.tolist())

    @property
    def std(self) -> tuple[float, ...]:
        """The population standard deviation of each column; empty before the first block."""
        return tuple(np.sqrt(self._squares / max(self.count, 1)).tolist())
