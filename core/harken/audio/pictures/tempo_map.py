"""At which tempi onsets repeat, over time: the local autocorrelation of the onset envelope.

Grosche, Müller, Kurth (2010), "Cyclic tempogram"; each column is one window of 9 s, so that the picture of
hours is as cheap as that of minutes.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from harken.audio.blocks import FRAME_RATE, Doubles, Floats
from harken.audio.tempogram import NOTHING, QUIET, WINDOW, fast_length

LEAST_BPM: Final = 30.0
MOST_BPM: Final = 300.0
ROWS: Final = 160  # steps of 1.4 %: a frame more of lag is 1.2 % at 30 bpm, and more above
MOST_WINDOWS: Final = 640
WINDOWS_AT_ONCE: Final = 64
LEAST_S: Final = 2.0  # in less no tempo is heard
TEMPI: Final[Doubles] = np.asarray(
    LEAST_BPM * (MOST_BPM / LEAST_BPM) ** np.linspace(0.0, 1.0, ROWS)
)


@dataclass(frozen=True, kw_only=True)
class TempoMap:
    """How clearly onsets repeat, 0 to 1: (columns, ROWS), the columns evenly over the recording."""

    values: Floats


def tempo_map(envelope: Floats, duration_s: float) -> TempoMap | None:
    """Of the onset envelope; None for what is too short or has no onsets."""
    if duration_s < LEAST_S or envelope.shape[0] < 2 or float(envelope.max()) <= 0.0:
        return None
    size = min(WINDOW, envelope.shape[0])
    count = min(MOST_WINDOWS, max(envelope.shape[0] // 4, 1))
    middles = (np.arange(count) + 0.5) * envelope.shape[0] / count
    starts = np.clip(middles - size / 2, 0, envelope.shape[0] - size).astype(np.intp)
    windows = np.lib.stride_tricks.sliding_window_view(envelope, size)
    # Of the windows alone: a mean over the whole would read every hour of a long recording.
    quiet = max(float(np.square(windows[starts[::8]]).mean()) * size * QUIET, NOTHING)
    parts = [
        _autocorrelation(windows[starts[first : first + WINDOWS_AT_ONCE]], quiet)
        for first in range(0, count, WINDOWS_AT_ONCE)
    ]
    return TempoMap(values=np.concatenate(parts))


def _autocorrelation(part: Floats, quiet: float) -> Floats:
    size = part.shape[1]
    part = part - part.mean(axis=1, keepdims=True)
    part[:, 1:-1] = 0.25 * part[:, :-2] + 0.5 * part[:, 1:-1] + 0.25 * part[:, 2:]
    transform = fast_length(2 * size)
    spectra = np.fft.rfft(part, transform, axis=1)
    found = np.fft.irfft(spectra.real**2 + spectra.imag**2, transform, axis=1)[:, :size]
    energy = np.maximum(found[:, :1], quiet)
    # Unbiased only so far as two thirds of the window overlap.
    overlap = np.maximum(1.0 - np.arange(size) / size, 1.0 / 3.0)
    lags = 60.0 * FRAME_RATE / TEMPI
    low = np.minimum(lags.astype(np.intp), size - 2)
    share = np.clip(lags - low, 0.0, 1.0)
    strength = found / overlap / energy
    values = strength[:, low] * (1.0 - share) + strength[:, low + 1] * share
    values[:, lags > size - 1] = 0.0
    return np.clip(values, 0.0, 1.0).astype(np.float32)
