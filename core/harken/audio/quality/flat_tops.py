"""Clipping: runs of samples that lie flat at a channel's own extreme and leave it steeply.

Full scale plays no part, so what was clipped and made softer afterwards is found too. A wave that
was rounded to the same step at its crest leaves it by a few steps, a clipped one by many.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from harken.audio.blocks import Doubles, Floats
from harken.audio.kernel import kernel
from harken.audio.levels import largest_magnitude

LEAST_RUN: Final = 3  # samples
# A sample this near to the extreme lies on it: the dither and rounding of 16 bits.
NEAR: Final = 2.0**-15
# A rounded crest n samples wide falls to its neighbours by at most 4 steps (n = 3), less for wider ones.
STEEP_STEPS: Final = 8.0
LEAST_EXTREME: Final = 0.01  # −40 dBFS; what is softer was hardly clipped
MOST_STRETCHES: Final = 100
CHUNK: Final = 512

# Of the state: one row for the crests, one for the troughs.
_EXTREME, _BEFORE = range(2)
_RUN_START, _RUN, _STRETCHES, _SAMPLES = range(4)


class FlatTops:
    """Follows one channel; `samples` and `stretches` hold what lies at its extremes so far."""

    def __init__(self) -> None:
        self._at: Doubles = np.zeros((2, 2))
        self._at[:, _EXTREME] = LEAST_EXTREME
        self._counts: NDArray[np.int64] = np.zeros((2, 4), dtype=np.int64)
        self._kept: NDArray[np.int64] = np.zeros((2, MOST_STRETCHES, 2), dtype=np.int64)
        self._last = np.float32(0.0)
        self._heard = 0

    def add(self, samples: Floats, step: float) -> None:
        """Take in consecutive samples that were rounded to `step`."""
        steep = STEEP_STEPS * max(step, NEAR)
        near = np.float32(NEAR)
        _follow(samples, self._last, self._heard, near, steep, self._at, self._counts, self._kept)
        if samples.shape[0]:
            self._last = samples[-1]
        self._heard += samples.shape[0]

    @property
    def samples(self) -> int:
        """How many lie in flat stretches."""
        return int(self._counts[:, _SAMPLES].sum())

    @property
    def count(self) -> int:
        """How many stretches there are."""
        return int(self._counts[:, _STRETCHES].sum())

    @property
    def level(self) -> float | None:
        """The magnitude at which it was clipped."""
        found = self._counts[:, _STRETCHES] > 0
        return float(self._at[found, _EXTREME].max()) if found.any() else None

    @property
    def stretches(self) -> list[tuple[int, int]]:
        """First sample and length of the first stretches, in order."""
        kept = [
            (int(start), int(length))
            for side in range(2)
            for start, length in self._kept[side, : self._counts[side, _STRETCHES]]
        ]
        return sorted(kept)[:MOST_STRETCHES]


@kernel
def _follow(
    samples: Floats,
    last: np.float32,
    heard: int,
    near: np.float32,
    steep: float,
    at: Doubles,
    counts: NDArray[np.int64],
    kept: NDArray[np.int64],
) -> None:
    for start in range(0, samples.shape[0], CHUNK):
        part = samples[start : start + CHUNK]
        top = np.float32(largest_magnitude(part))
        for side in range(2):
            sign = np.float32(1.0) if side == 0 else np.float32(-1.0)
            # Few chunks reach the extreme; the others need no look at each sample.
            if top < at[side, 0] - near and counts[side, 1] == 0:
                continue
            before = sign * (samples[start - 1] if start > 0 else last)
            for i in range(part.shape[0]):
                value = sign * part[i]
                if value >= at[side, 0] - near:
                    if value > at[side, 0] + near:
                        # A new extreme: what lay flat below it was no clipping.
                        counts[side, 1] = 0
                        counts[side, 2] = 0
                        counts[side, 3] = 0
                    at[side, 0] = max(at[side, 0], value)
                    if counts[side, 1] == 0:
                        counts[side, 0] = heard + start + i
                        at[side, 1] = value - before
                    counts[side, 1] += 1
                elif counts[side, 1] > 0:
                    drop = max(at[side, 1], at[side, 0] - value)
                    if counts[side, 1] >= LEAST_RUN and drop >= steep:
                        number = counts[side, 2]
                        if number < kept.shape[1]:
                            kept[side, number, 0] = counts[side, 0]
                            kept[side, number, 1] = counts[side, 1]
                        counts[side, 2] += 1
                        counts[side, 3] += counts[side, 1]
                    counts[side, 1] = 0
                before = value
