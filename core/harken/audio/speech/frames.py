"""What is looked at in each frame: its level, how periodic it is, its pitch, and how its spectrum lies.

Periodicity is the largest value of the normalised autocorrelation among the lags of voices, that of the window divided
out: Boersma (1993), "Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a
sampled sound". The autocorrelation is the cosine transform of the power up to 1 kHz: one small matrix product a block.
"""

from typing import Final

import numpy as np

from harken.audio.blocks import FRAME, SAMPLE_RATE, Floats, Integers
from harken.audio.fourier import hann
from harken.audio.kernel import kernel

LOWEST_HZ: Final = 52.0  # a bass is periodic too, though no voice is that low
HIGHEST_HZ: Final = 424.0  # of what is higher, a multiple of the period is found
LAGS: Final = 109  # spaced evenly in pitch, a third of a semitone apart
PERIODIC_HZ: Final = 1_000.0  # harmonics above it drift apart within a frame while a voice glides
# About two critical bands each (Zwicker 1961); the first eight are what every telephone has.
EDGES_HZ: Final = (60, 200, 400, 630, 920, 1_270, 1_720, 2_320, 3_150, 4_400, 6_400, 11_026)
BANDS: Final = len(EDGES_HZ) - 1
SPEECH_BANDS: Final = 8
# A full-scale sine's power over the bins of its peak, under a Hann window: 0 dB here.
FULL_SCALE: Final = 3 * FRAME**2 / 32
FLOOR: Final = np.float32(1e-10)  # −100 dB

# The columns of a frame.
TOTAL, LEVEL, PERIODICITY, OCTAVE, FLATNESS, BRIGHTNESS = range(6)
COLUMNS: Final = 6


def _bin(hertz: float) -> int:
    return round(hertz * FRAME / SAMPLE_RATE)


EDGES: Final[Integers] = np.array([_bin(hertz) for hertz in EDGES_HZ], dtype=np.int32)
_LOW, _HIGH = _bin(50.0), _bin(PERIODIC_HZ)
LAGS_S: Final = 1.0 / np.geomspace(HIGHEST_HZ, LOWEST_HZ, LAGS)
# Above the lowest pitch, of each lag.
OCTAVES: Final[Floats] = np.log2(1.0 / LAGS_S / LOWEST_HZ).astype(np.float32)


def _correlator() -> Floats:
    """(LAGS, bins): this times the power is the autocorrelation over the window's own."""
    hertz = np.arange(_LOW, _HIGH) * (SAMPLE_RATE / FRAME)
    own = np.fft.irfft(np.abs(np.fft.rfft(hann(FRAME), 2 * FRAME)) ** 2)[:FRAME]
    window = np.interp(LAGS_S * SAMPLE_RATE, np.arange(FRAME), own / own[0])
    cosines = np.cos(2 * np.pi * LAGS_S[:, None] * hertz)
    return (cosines / window[:, None]).astype(np.float32)


CORRELATOR: Final[Floats] = _correlator()


def frames_of(power: Floats) -> Floats:
    """The columns of frames with this power, (bins, frames): (frames, COLUMNS)."""
    count = power.shape[1]
    low = power[_LOW:_HIGH]
    correlation = CORRELATOR @ low
    bands = np.empty((BANDS, count), dtype=np.float32)
    columns = np.empty((count, COLUMNS), dtype=np.float32)
    _periodicity(correlation, low, OCTAVES, columns)
    _band_powers(power, EDGES, bands)
    _shape(bands, columns)
    return columns


@kernel
def _periodicity(correlation: Floats, low: Floats, octaves: Floats, columns: Floats) -> None:
    frames = columns.shape[0]
    total = np.full(frames, np.float32(1e-20), dtype=np.float32)
    for at in range(low.shape[0]):
        line = low[at]
        for frame in range(frames):
            total[frame] += line[frame]
    best = correlation[0].copy()
    place = np.zeros(frames, dtype=np.int32)
    for lag in range(1, correlation.shape[0]):
        line = correlation[lag]
        for frame in range(frames):
            if line[frame] > best[frame]:
                best[frame] = line[frame]
                place[frame] = lag
    for frame in range(frames):
        columns[frame, PERIODICITY] = best[frame] / total[frame]
        columns[frame, OCTAVE] = octaves[place[frame]]


@kernel
def _band_powers(power: Floats, edges: Integers, bands: Floats) -> None:
    """Sum the bins of each band, (bins, frames) to (bands, frames)."""
    for band in range(bands.shape[0]):
        to = bands[band]
        to[:] = np.float32(0.0)
        for at in range(edges[band], min(edges[band + 1], power.shape[0])):
            line = power[at]
            for frame in range(to.shape[0]):
                to[frame] += line[frame]


@kernel
def _shape(bands: Floats, columns: Floats) -> None:
    """In dB: all bands, those of speech, these ones' geometric over their arithmetic mean, and the bands above."""
    for frame in range(columns.shape[0]):
        total, speech, logs = np.float32(0.0), np.float32(0.0), np.float32(0.0)
        for band in range(bands.shape[0]):
            share = max(bands[band, frame] / np.float32(FULL_SCALE), FLOOR)
            total += share
            if band < SPEECH_BANDS:
                speech += share
                logs += np.log10(share)
        level = np.float32(10.0) * np.log10(speech)
        bright = max(total - speech, FLOOR)
        columns[frame, TOTAL] = np.float32(10.0) * np.log10(total)
        columns[frame, LEVEL] = level
        columns[frame, FLATNESS] = np.float32(10.0) * (
            logs / SPEECH_BANDS - np.log10(speech / SPEECH_BANDS)
        )
        columns[frame, BRIGHTNESS] = np.float32(10.0) * np.log10(bright) - level
