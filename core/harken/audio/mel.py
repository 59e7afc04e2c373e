"""The mel spectrum: 128 bands of Slaney's scale, in decibels below the recording's peak.

Slaney (1998), Auditory Toolbox; `librosa.feature.melspectrogram` with its defaults. librosa
clips the decibels 80 below the loudest value of the whole recording, which is known only at its
end, so the unclipped frames wait in a spool.
"""

from collections.abc import Iterator
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from harken.audio.blocks import SAMPLE_RATE, Doubles, Floats, MelBlock
from harken.audio.kernel import kernel
from harken.audio.spectrum import FREQUENCIES_HZ
from harken.audio.spool import FrameSpool

BANDS: Final = 128
FLOOR_POWER: Final = 1e-10  # -100 dB: the least power that is told from silence
SILENCE_DB: Final = -100.0  # the same in decibels
RANGE_DB: Final = 80.0
LINEAR_HZ: Final = 200 / 3  # width of a mel below 1 kHz
LOG_FROM_HZ: Final = 1000.0
LOG_STEP: Final = np.log(6.4) / 27.0


def mel_to_hz(mels: Doubles) -> Doubles:
    """Slaney's scale: linear below 1 kHz, logarithmic above."""
    linear = LINEAR_HZ * mels
    log_from = LOG_FROM_HZ / LINEAR_HZ
    return np.where(mels >= log_from, LOG_FROM_HZ * np.exp(LOG_STEP * (mels - log_from)), linear)


@cache
def mel_filters() -> Floats:
    """Triangles of equal area over the spectrum's bins, shape (128, bins)."""
    top_hz = SAMPLE_RATE / 2
    top = LOG_FROM_HZ / LINEAR_HZ + np.log(top_hz / LOG_FROM_HZ) / LOG_STEP
    edges = mel_to_hz(np.linspace(0.0, top, BANDS + 2))
    widths = np.diff(edges)
    ramps = edges[:, None] - FREQUENCIES_HZ[None, :]
    rising = -ramps[:-2] / widths[:-1, None]
    falling = ramps[2:] / widths[1:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    triangles *= (2.0 / (edges[2:] - edges[:-2]))[:, None]
    return triangles.astype(np.float32)


@cache
def _spans() -> NDArray[np.intp]:
    """The first bin and the bin after the last that each filter weighs, shape (128, 2)."""
    heard = mel_filters() > 0
    return np.stack([heard.argmax(axis=1), heard.shape[1] - heard[:, ::-1].argmax(axis=1)], axis=1)


def mel_decibels(power: Floats) -> Floats:
    """The bands of each frame in dB, not below -100: (bins, frames) to (frames, 128)."""
    mel = np.empty((BANDS, power.shape[1]), dtype=np.float32)
    _weigh(power, mel_filters(), _spans(), mel)
    decibels = np.float32(10.0) * np.log10(np.maximum(mel, np.float32(FLOOR_POWER)))
    return np.ascontiguousarray(decibels.T)


@kernel
def _weigh(power: Floats, filters: Floats, spans: NDArray[np.intp], mel: Floats) -> None:
    for band in range(mel.shape[0]):
        total = mel[band]
        total[:] = 0.0
        for at in range(spans[band, 0], spans[band, 1]):
            weight, line = filters[band, at], power[at]
            for frame in range(line.shape[0]):
                total[frame] += weight * line[frame]


class MelSpool:
    """Keeps the mel frames of a recording until its peak is known."""

    def __init__(self, spool: FrameSpool) -> None:
        self._spool = spool
        self._peak_db = -np.inf
        self._total = 0

    def add(self, power: Floats) -> None:
        """Take in a power spectrum of shape (bins, frames)."""
        decibels = mel_decibels(power)
        self._peak_db = max(self._peak_db, float(decibels.max()))
        self._total += decibels.shape[0]
        self._spool.add(decibels)

    def blocks(self) -> Iterator[MelBlock]:
        """All frames in order, clipped 80 dB below the peak."""
        least = np.float32(self._peak_db - RANGE_DB)
        start = 0
        for decibels in self._spool.blocks():
            yield MelBlock(decibels=np.maximum(decibels, least), start=start, total=self._total)
            start += decibels.shape[0]
