"""How strongly sounds begin in four parts of the spectrum: what a kick, a voice and a hi-hat do.

The onset envelope counts decibels, so a hi-hat out of silence weighs as much as a kick. Here the
rise is that of a loudness, the fourth root of the power (Stevens' law): the louder, the more.
"""

from typing import Final

import numpy as np

from harken.audio.blocks import FRAME, HOP, Floats, MelBlock
from harken.audio.mel import BANDS
from harken.audio.spool import FrameSpool

# First mel bands of the parts: kick and bass to 150 Hz, lower voices to 500, voices and snares
# to 2,500, cymbals above.
PARTS: Final = (0, 6, 19, 63)
ROOT: Final = np.float32(np.log(10.0) / 40.0)  # decibels to the fourth root of the power
CENTRE_DELAY: Final = FRAME // (2 * HOP)  # as in the onset envelope


class PulseEnvelopes:
    """Gathers the envelopes from mel blocks."""

    def __init__(self, spool: FrameSpool) -> None:
        """`spool`, of four columns, keeps the parts."""
        self._parts = spool
        self._last: Floats = np.zeros((0, BANDS), dtype=np.float32)

    def on_mel(self, block: MelBlock) -> None:
        """Take in the next frames."""
        loudness = np.concatenate([self._last, np.exp(block.decibels * ROOT)])
        rises = np.maximum(np.float32(0.0), loudness[1:] - loudness[:-1])
        self._parts.add(np.add.reduceat(rises, PARTS, axis=1))
        self._last = loudness[-1:]

    def between(self, strength: Floats, first: int, last: int) -> Floats:
        """Frames `first` to `last`: the onset strength, then the parts in step with it, from below.

        `strength` is that of the whole recording; the shape is (5, last - first).
        """
        envelopes = np.zeros((1 + len(PARTS), last - first), dtype=np.float32)
        envelopes[0] = strength[first:last]
        begin = max(first, CENTRE_DELAY + 1)
        parts = self._parts.frames(begin - CENTRE_DELAY - 1, max(last - CENTRE_DELAY - 1, 0))
        envelopes[1:, begin - first : begin - first + parts.shape[0]] = parts.T
        return envelopes
