"""The running median of many series at once.

The window of every series is kept sorted, the same place of all of them side by side in memory. A step takes the oldest
value out and puts the newest in by comparing and choosing alone, so that one instruction works on 8 or 16 series.
"""

from typing import Final

import numpy as np

from harken.audio.blocks import Floats
from harken.audio.kernel import kernel

LANES: Final = 64  # series at a time: their windows of 31 values are 8 kB and stay in the cache


class RunningMedian:
    """Of the last `length` (odd) rows, as rows of `series` values arrive."""

    def __init__(self, length: int, series: int) -> None:
        self._length = length
        # Before there are `length` rows, the others are infinite: their medians mean nothing yet.
        self._past: Floats = np.full((length, series), np.inf, dtype=np.float32)
        self._sorted: Floats = np.full((length + 1, series), np.inf, dtype=np.float32)

    def push(self, rows: Floats) -> Floats:
        """The medians of the windows that end with each of `rows`, (n, series)."""
        rows = np.concatenate([self._past, rows])
        medians = np.empty((rows.shape[0] - self._length, rows.shape[1]), dtype=np.float32)
        _run(rows, self._sorted, medians)
        self._past = rows[-self._length :]
        return medians


@kernel
def _run(rows: Floats, ordered: Floats, medians: Floats) -> None:
    """Medians of each row's window; before the first of them lies a window of rows that are in `ordered` already.

    `ordered`, (length + 1, series), rises, and ends with infinity.
    """
    length = ordered.shape[0] - 1
    below = np.empty(LANES, dtype=np.float32)
    window = np.empty((length + 1, LANES), dtype=np.float32)
    for start in range(0, rows.shape[1], LANES):
        lanes = min(LANES, rows.shape[1] - start)
        for place in range(length + 1):
            window[place, :lanes] = ordered[place, start : start + lanes]
        for number in range(medians.shape[0]):
            old = rows[number, start : start + lanes]
            new = rows[number + length, start : start + lanes]
            for lane in range(lanes):
                below[lane] = -np.inf
            for place in range(length):
                here, above = window[place], window[place + 1]
                for lane in range(lanes):
                    # Without the old value, all from its place on stand one lower.
                    left = here[lane] if here[lane] < old[lane] else above[lane]
                    lower = left if left < new[lane] else new[lane]
                    here[lane] = below[lane] if below[lane] > lower else lower
                    below[lane] = left
            middle, to = window[length // 2], medians[number, start : start + lanes]
            for lane in range(lanes):
                to[lane] = middle[lane]
        for place in range(length + 1):
            ordered[place, start : start + lanes] = window[place, :lanes]
