"""A matrix over time that never grows: when it is full, two columns become one."""

from typing import Final

import numpy as np

from harken.audio.blocks import Doubles, Floats

# Twice as many as the widest usual picture has: what is drawn is never coarser than its pixels.
MOST_COLUMNS: Final = 4096


class Columns:
    """Gathers frames of `rows` values; each column is the mean, or the maximum, of as many frames."""

    def __init__(self, rows: int, *, maximum: bool = False, most: int = MOST_COLUMNS) -> None:
        self._join = np.maximum if maximum else np.add
        self._maximum = maximum
        self._values: Doubles = np.zeros((most, rows))
        self._frames = 0
        self.frames_each = 1

    def add(self, frames: Floats | Doubles) -> None:
        """Take in the next frames, shape (n, rows), none below 0."""
        most = self._values.shape[0]
        while frames.shape[0]:
            each, before = self.frames_each, self._frames
            taken = min(frames.shape[0], most * each - before)
            first = before // each
            # Where columns begin among the frames taken; the first of them may have begun before.
            starts = np.arange(first * each, before + taken, each) - before
            starts[0] = 0
            joined = self._join.reduceat(frames[:taken], starts, axis=0)
            at = slice(first, first + joined.shape[0])
            self._values[at] = self._join(self._values[at], joined)
            self._frames += taken
            frames = frames[taken:]
            if self._frames == most * each:
                self._halve()

    def finish(self) -> Floats:
        """The columns so far, shape (columns, rows)."""
        count = -(-self._frames // self.frames_each)
        values = self._values[:count].copy()
        if not self._maximum and count:
            values /= self.frames_each
            rest = self._frames - (count - 1) * self.frames_each
            values[-1] *= self.frames_each / rest
        return values.astype(np.float32)

    def _halve(self) -> None:
        most = self._values.shape[0]
        self._values[: most // 2] = self._join(self._values[::2], self._values[1::2])
        self._values[most // 2 :] = 0.0
        self.frames_each *= 2
