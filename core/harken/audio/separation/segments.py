"""A signal cut into segments of a fixed length that overlap, each split by itself, and faded into each other.

As Demucs lays them: each shares a quarter of itself with the next one, and the last one reaches back over sound that
was heard before, so that a model has no silence to its right that is not in the recording.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from harken.audio.blocks import Floats

OVERLAP: Final = 4  # a segment shares so much of itself with the next one, as a fraction

# Splits (channels, samples) of a segment into (rows, samples).
Split = Callable[[Floats], Floats]


class SegmentStream:
    """One signal's; `push` all of it, then `finish`."""

    def __init__(self, segment: int, split: Split, rows: int, channels: int) -> None:
        self._segment = segment
        self._step = segment - segment // OVERLAP
        self._split = split
        self._signal: Floats = np.zeros((channels, 0), dtype=np.float32)
        self._past: Floats = self._signal  # of the segment before, what the next one does not have
        self._fading: Floats = np.zeros((rows, segment - self._step), dtype=np.float32)
        rise = (np.arange(segment - self._step) + 1.0) / (segment - self._step + 1.0)
        self._rise = rise.astype(np.float32)
        self._first = True

    def push(self, signal: Floats) -> Floats:
        """What the next samples, (channels, n), complete: (rows, n)."""
        self._signal = np.concatenate([self._signal, signal], axis=1)
        ready = [self._fading[:, :0]]
        # One sample more than a segment: the last one is left to `finish`, which fades nothing out.
        while self._signal.shape[1] > self._segment:
            rows = self._faded(self._split(self._signal[:, : self._segment]))
            ready.append(rows[:, : self._step])
            self._fading = rows[:, self._step :]
            self._past = self._signal[:, : self._step].copy()
            self._signal = self._signal[:, self._step :]
        return np.concatenate(ready, axis=1)

    def finish(self) -> Floats:
        """The rest: of the last segment, which silence fills up only where there is no more sound before it."""
        count = self._signal.shape[1]
        if count == 0:
            return self._fading[:, :0]
        known = np.concatenate([self._past, self._signal], axis=1)[:, -self._segment :]
        filled = np.pad(known, ((0, 0), (0, self._segment - known.shape[1])))
        end = known.shape[1]
        return self._faded(self._split(filled)[:, end - count : end])

    def _faded(self, rows: Floats) -> Floats:
        """Rows of a segment, the end of the one before faded into them."""
        rows = rows.copy()
        if not self._first:
            lap = self._rise.shape[0]
            rows[:, :lap] = rows[:, :lap] * self._rise + self._fading * (1 - self._rise)
        self._first = False
        return rows
