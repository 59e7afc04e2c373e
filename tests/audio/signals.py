"""Signals whose features are known on paper."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

Samples = NDArray[np.float64]
RATE = 44_100


def sine(
    hertz: float, seconds: float, *, dbfs: float = -6.0, rate: int = RATE, degrees: float = 0.0
) -> Samples:
    """A tone whose peak is `dbfs`."""
    t = np.arange(round(seconds * rate)) / rate
    return 10 ** (dbfs / 20) * np.sin(2 * np.pi * hertz * t + np.radians(degrees))


def steps(
    levels: Sequence[tuple[float, float]], *, hertz: float = 1000.0, rate: int = 48_000
) -> Samples:
    """One tone that goes through (dBFS, seconds) without a break in phase."""
    gains = np.concatenate([np.full(round(s * rate), 10 ** (db / 20)) for db, s in levels])
    return gains * np.sin(2 * np.pi * hertz * np.arange(gains.shape[0]) / rate)


def noise(seconds: float, *, dbfs: float = -20.0, rate: int = RATE, seed: int = 0) -> Samples:
    """White noise of that RMS."""
    rng = np.random.default_rng(seed)
    return 10 ** (dbfs / 20) * rng.standard_normal(round(seconds * rate))


def clicks(
    bpm: float, seconds: float, *, rate: int = RATE, first_s: float = 0.2
) -> tuple[Samples, Samples]:
    """A metronome, and the times of its ticks."""
    times = np.arange(first_s, seconds - 0.05, 60 / bpm)
    tick = 0.8 * np.sin(2 * np.pi * 1500 * np.arange(round(0.01 * rate)) / rate)
    tick *= np.exp(-np.arange(tick.shape[0]) / (0.002 * rate))
    samples = np.zeros(round(seconds * rate))
    for time in times:
        at = round(time * rate)
        samples[at : at + tick.shape[0]] += tick[: samples.shape[0] - at]
    return samples, times


def chord(midi: Sequence[int], seconds: float, *, cents: float = 0.0, rate: int = RATE) -> Samples:
    """Notes with five falling partials, as an organ would play them."""
    total = np.zeros(round(seconds * rate))
    for note in midi:
        hertz = 440.0 * 2 ** ((note - 69 + cents / 100) / 12)
        for partial in range(1, 6):
            total += sine(partial * hertz, seconds, dbfs=-24, rate=rate) / partial**1.5
    return total


def write(
    path: Path, samples: Samples, *, rate: int = RATE, subtype: str = "FLOAT", tile: int = 1
) -> Path:
    """Write (n,) or (n, channels) samples; `tile` copies a mono signal to that many channels."""
    if tile > 1:
        samples = np.repeat(samples[:, None], tile, axis=1)
    soundfile.write(path, samples, rate, subtype=subtype)
    return path
