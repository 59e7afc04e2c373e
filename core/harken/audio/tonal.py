"""Chroma, tuning and key of the whole recording."""

from typing import Final

import numpy as np

from harken.audio.analysis import Analysis, Hears
from harken.audio.blocks import SpectrumBlock
from harken.audio.chroma import chroma
from harken.audio.key import estimate_key
from harken.audio.moments import Moments
from harken.audio.pitch_classes import PitchHistogram
from harken.audio.result import Tonal

LEAST_PITCHEDNESS: Final = 0.4  # noise and most drums lie below, notes and music above


class Tonality(Analysis):
    """Chroma of every frame; key and tuning from the peaks that last."""

    hears = Hears.SPECTRUM

    def __init__(self) -> None:
        self._chroma = Moments()
        self._pitches = PitchHistogram()

    def on_spectrum(self, block: SpectrumBlock) -> None:
        """Take in the next frames."""
        self._chroma.add(chroma(block.power))
        self._pitches.add(np.ascontiguousarray(block.magnitude.T))

    def finish(self) -> Tonal:
        """The group; without pitched energy neither key nor tuning exists."""
        mean = self._chroma.mean
        heard = mean if any(mean) else ()
        if self._pitches.pitchedness < LEAST_PITCHEDNESS:
            return Tonal(chroma_mean=heard)
        key = estimate_key(self._pitches.classes())
        return Tonal(
            key=key.tonic if key else None,
            mode=key.mode if key else None,
            key_confidence=key.confidence if key else None,
            tuning_cents=self._pitches.tuning_cents,
            chroma_mean=heard,
        )
