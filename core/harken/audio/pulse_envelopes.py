"""How strongly sounds begin in four parts of the spectrum: what a kick, a voice and a hi-hat do.

The onset envelope counts decibels, so a hi-hat out of silence weighs as much as a kick. Here the
rise is that of a loudness, the fourth root of the power (Stevens' law): the louder, the more.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from harken.audio.blocks import FRAME, HOP, Floats, MelBlock
from harken.audio.mel import BANDS

# First mel bands of the parts: kick and bass to 150 Hz, lower voices to 500, voices and snares
# to 2,500, cymbals above.
PARTS: Final = (0, 6, 19, 63)
ROOT: Final = np.float32(np.log(10.0) / 40.0)  # decibels to the fourth root of the power
LOUDEST: Final = np.float32(np.finfo(np.float16).max)  # +190 dBFS is no sound
CENTRE_DELAY: Final = FRAME // (2 * HOP)  # as in the onset envelope

Halves = NDArray[np.float16]  # three digits are plenty, and an hour of four parts takes 1.2 MB


class PulseEnvelopes:
    """Gathers the envelopes from mel blocks."""

    def __init__(self) -> None:
        self._parts: list[Halves] = []
        self._last: Floats = np.zeros((0, BANDS), dtype=np.float32)

    def on_mel(self, block: MelBlock) -> None:
        """Take in the next frames."""
        loudness = np.concatenate([self._last, np.exp(block.decibels * ROOT)])
        rises = np.maximum(np.float32(0.0), loudness[1:] - loudness[:-1])
        parts = np.add.reduceat(rises, PARTS, axis=1)
        self._parts.append(np.minimum(parts, LOUDEST).astype(np.float16))
        self._last = loudness[-1:]

    def finish(self, strength: Floats, first: int, last: int) -> Floats:
        """Frames `first` to `last`: the onset strength, then the parts in step with it, from below.

        `strength` is that of the whole recording; the shape is (5, last - first).
        """
        envelopes = np.zeros((1 + len(PARTS), last - first), dtype=np.float32)
        envelopes[0] = strength[first:last]
        at = CENTRE_DELAY + 1
        for part in self._parts:
            begin, end = max(at, first), min(at + part.shape[0], last)
            if begin < end:
                envelopes[1:, begin - first : end - first] = part[begin - at : end - at].T
            at += part.shape[0]
        return envelopes
