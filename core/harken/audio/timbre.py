"""Mel-frequency cepstral coefficients: the colour of the sound apart from its pitch.

Davis, Mermelstein (1980); the first 20 coefficients of an orthonormal DCT-II over 128 mel bands
in dB, as `librosa.feature.mfcc` with its defaults.
"""

from functools import cache
from typing import Final

import numpy as np

from harken.audio.analysis import Analysis, Hears
from harken.audio.blocks import Floats, MelBlock
from harken.audio.mel import BANDS, SILENCE_DB
from harken.audio.moments import Moments
from harken.audio.result import Timbre

COEFFICIENTS: Final = 20


class Cepstrum(Analysis):
    """Mean and spread of the coefficients over all frames; unset in silence."""

    hears = Hears.MEL

    def __init__(self) -> None:
        self._moments = Moments()
        self._silent = True

    def on_mel(self, block: MelBlock) -> None:
        """Take in the next frames."""
        self._silent = self._silent and bool((block.decibels <= SILENCE_DB).all())
        self._moments.add(mfcc(block.decibels))

    def finish(self) -> Timbre:
        """The group."""
        if self._silent:
            return Timbre()
        return Timbre(mfcc_mean=self._moments.mean, mfcc_std=self._moments.std)


def mfcc(decibels: Floats) -> Floats:
    """Coefficients 0 to 19 of each frame: (frames, 128) to (20, frames)."""
    return cosines(COEFFICIENTS).T @ decibels.T


@cache
def cosines(count: int) -> Floats:
    """The first `count` vectors of the orthonormal DCT-II over the mel bands, (128, count)."""
    angles = np.pi / BANDS * np.outer(np.arange(BANDS) + 0.5, np.arange(count))
    basis = np.cos(angles) * np.sqrt(2.0 / BANDS)
    basis[:, 0] = np.sqrt(1.0 / BANDS)
    return basis.astype(np.float32)
