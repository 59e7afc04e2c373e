"""How strongly sounds begin at each frame: the rise of the mel spectrum, averaged over its bands.

Böck, Widmer (2013), "Maximum filter vibrato suppression for onset detection", in the plain form of
`librosa.onset.onset_strength` (lag 1, no maximum filter, mean), which this equals.
"""

from typing import Final

import numpy as np

from harken.audio.blocks import FRAME, HOP, Floats, MelBlock
from harken.audio.mel import BANDS
from harken.audio.series import Series

# A frame hears a sound up to half a window before its centre reaches it.
CENTRE_DELAY: Final = FRAME // (2 * HOP)
LAG: Final = 1


class OnsetEnvelope:
    """Gathers the envelope from mel blocks."""

    def __init__(self) -> None:
        self._rises = Series()
        self._rises.extend(np.zeros(CENTRE_DELAY + LAG, dtype=np.float32))
        self._last: Floats = np.zeros((0, BANDS), dtype=np.float32)

    def on_mel(self, block: MelBlock) -> None:
        """Take in the next frames."""
        frames = np.concatenate([self._last, block.decibels])
        self._rises.extend(np.maximum(0.0, frames[LAG:] - frames[:-LAG]).mean(axis=1))
        self._last = frames[-LAG:]

    def finish(self) -> Floats:
        """Onset strength, one value a frame of the spectrum, 0 where nothing begins.

        To be called once: what was gathered is given away with it.
        """
        rises = self._rises.finish()
        return rises[: max(rises.shape[0] - CENTRE_DELAY, 0)]
