"""Where sound begins and ends: the first and the last sample beyond a threshold."""

from math import ceil
from typing import Final

import numpy as np

from harken.audio.analysis import Analysis, Hears
from harken.audio.blocks import SoundBlock
from harken.audio.mono import downmix

PADDING_S: Final = 0.05  # kept on either side, so that no attack or reverberation is cut


class EdgeFinder(Analysis):
    """Hears where the sound is; `start` and `end` then stand for what is to be kept, in samples.

    Of silence all is kept.
    """

    hears = Hears.SOUND

    def __init__(self, threshold_dbfs: float, *, mono: bool) -> None:
        self._threshold = 10.0 ** (threshold_dbfs / 20.0)
        self._mono = mono
        self._first: int | None = None
        self._last = 0
        self.sample_rate = 1
        self.total = 0
        self.start, self.end = 0, 0

    def on_sound(self, block: SoundBlock) -> None:
        """Look at the next samples."""
        self.sample_rate = block.sample_rate
        samples = downmix(block.samples)[None] if self._mono else block.samples
        loud = np.flatnonzero((np.abs(samples) > self._threshold).any(axis=0))
        if loud.size:
            if self._first is None:
                self._first = self.total + int(loud[0])
            self._last = self.total + int(loud[-1])
        self.total += samples.shape[1]

    def finish(self) -> None:
        """Add the padding."""
        padding = ceil(PADDING_S * self.sample_rate)
        self.start, self.end = 0, self.total
        if self._first is not None:
            self.start = max(self._first - padding, 0)
            self.end = min(self._last + 1 + padding, self.total)
