"""What rings and what strikes, told apart by medians.

In a spectrogram what rings runs along time, and what strikes along frequency: the median over time of each bin forgets
the strikes, that over the frequencies of each frame forgets the tones. Fitzgerald (2010), "Harmonic/percussive
separation using median filtering", with soft masks; the same as `librosa.decompose.hpss`.
"""

from typing import Final

import numpy as np

from harken.audio.blocks import Floats
from harken.audio.separation.masking import Mask, MaskedSeparator, soft_mask
from harken.audio.separation.running_median import RunningMedian
from harken.audio.separation.short_time import frame_at

NAMES: Final = ("harmonic", "percussive")
# Long enough to tell notes apart, short enough for drums: 2048 samples at 44,100 Hz.
FRAME_S: Final = 0.046
LENGTH: Final = 31  # frames, and bins, under a median: 0.36 s and 670 Hz
REACH: Final = LENGTH // 2


def harmonic_percussive(sample_rate: int, channels: int) -> MaskedSeparator:
    """A separator into harmonic and percussive."""
    frame = frame_at(sample_rate, FRAME_S)
    return MaskedSeparator(HarmonicMask(frame // 2 + 1), NAMES, frame, channels)


class HarmonicMask(Mask):
    """The harmonic share; it knows of a frame once it has seen the 15 after it."""

    def __init__(self, bins: int) -> None:
        self._over_time = RunningMedian(LENGTH, bins)
        self._waiting: Floats = np.zeros((0, bins), dtype=np.float32)
        self._begun = False

    def push(self, magnitudes: Floats) -> Floats:
        """Shares of the frames that have as many after them as it takes."""
        self._waiting = np.concatenate([self._waiting, magnitudes])
        if not self._begun:
            if self._waiting.shape[0] <= REACH:
                return self._waiting[:0]
            self._begun = True
            # Before the beginning lies its mirror image, as after the end.
            self._over_time.push(self._waiting[:REACH][::-1])
            harmonic = self._over_time.push(self._waiting)[REACH:]
        else:
            harmonic = self._over_time.push(magnitudes)
        ready, self._waiting = (
            self._waiting[: harmonic.shape[0]],
            self._waiting[harmonic.shape[0] :],
        )
        return soft_mask(harmonic, over_frequency(ready))

    def finish(self) -> Floats:
        """Shares of the last frames."""
        count = self._waiting.shape[0]
        if count == 0:
            return self._waiting
        if self._begun:
            harmonic = self._over_time.push(self._waiting[::-1])
        else:
            mirrored = np.pad(self._waiting, ((REACH, REACH), (0, 0)), mode="symmetric")
            harmonic = self._over_time.push(mirrored)[2 * REACH :]
        return soft_mask(harmonic, over_frequency(self._waiting))


def over_frequency(magnitudes: Floats) -> Floats:
    """The median over the 31 bins around each bin of each frame, (frames, bins); beyond the ends lie mirror images."""
    bins_first = np.pad(magnitudes.T, ((REACH, REACH), (0, 0)), mode="symmetric")
    medians = RunningMedian(LENGTH, magnitudes.shape[0]).push(bins_first)
    return medians[2 * REACH :].T
