"""What sounds are built of: noise of a given colour, pulses, resonances, harmonics, formants."""

from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import fft

Samples = NDArray[np.float64]

RATE: Final = 22_050  # Hz
FRAME: Final = 512  # samples, of the filter that follows formants
HOP: Final = 256


def samples(seconds: float) -> int:
    """At least one."""
    return max(1, round(seconds * RATE))


def between(rng: Generator, low: float, high: float) -> float:
    """A number drawn so that equal ratios are equally likely."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def band(hertz: Samples, low: float, high: float, steepness: float = 2.0) -> Samples:
    """The gain of a band-pass with gentle edges."""
    f = np.maximum(hertz, 1.0)
    return 1.0 / np.sqrt(
        (1.0 + (f / high) ** (2 * steepness)) * (1.0 + (low / f) ** (2 * steepness))
    )


def noise(rng: Generator, length: int, low: float, high: float, steepness: float = 2.0) -> Samples:
    """Noise between two frequencies, of RMS 1."""
    padded = int(fft.next_fast_len(length, real=True) or length)
    spectrum = np.asarray(fft.rfft(rng.standard_normal(padded)))
    hertz = np.arange(spectrum.shape[0]) * (RATE / padded)
    shaped = fft.irfft(spectrum * band(hertz, low, high, steepness), padded)
    sound = np.asarray(shaped)[:length]
    return sound / (np.sqrt(np.mean(sound**2)) + 1e-12)


def coloured(rng: Generator, length: int, db_per_octave: float) -> Samples:
    """Noise whose level falls (or rises) by octave, of RMS 1."""
    padded = int(fft.next_fast_len(length, real=True) or length)
    hertz = np.maximum(fft.rfftfreq(padded, 1 / RATE), 30.0)
    gain = (hertz / 1000.0) ** (db_per_octave / 6.02)
    sound = np.asarray(fft.irfft(np.asarray(fft.rfft(rng.standard_normal(padded))) * gain, padded))[
        :length
    ]
    return sound / (np.sqrt(np.mean(sound**2)) + 1e-12)


def decay(length: int, t60: float, attack: float = 0.001) -> Samples:
    """1 after the attack (s), then 60 dB less every `t60` seconds."""
    t = np.arange(length) / RATE
    return np.minimum(t / max(attack, 1e-4), 1.0) * 10.0 ** (-3.0 * np.maximum(t - attack, 0) / t60)


def hump(length: int, rise: float = 0.3, power: float = 1.0) -> Samples:
    """A smooth rise to 1 at the share `rise` of the length, and a smooth fall."""
    t = np.linspace(0.0, 1.0, length)
    return np.sin(np.pi * t ** (np.log(0.5) / np.log(rise))) ** power


def slow(rng: Generator, length: int, hertz: float) -> Samples:
    """A random movement between 0 and 1 that turns about `hertz` times a second."""
    points = max(3, 2 + int(2 * hertz * length / RATE))
    return np.interp(np.linspace(0, points - 1, length), np.arange(points), rng.random(points))


def tone(hertz: Samples, phase: float = 0.0) -> Samples:
    """A sine that follows a frequency track."""
    return np.sin(2 * np.pi * np.cumsum(hertz) / RATE + phase)


def harmonics(rng: Generator, f0: Samples, db_per_octave: float, odd: bool = False) -> Samples:
    """All harmonics (or the odd ones) of a frequency track below 10 kHz, falling by octave."""
    turn: NDArray[np.complex128] = np.exp(2j * np.pi * (np.cumsum(f0) / RATE + rng.random()))
    count = min(160, max(1, int(10_000 / f0.max())))
    total, power = np.zeros(f0.shape[0]), turn.copy()
    for k in range(1, count + 1):
        if k % 2 or not odd:
            total += k ** (db_per_octave / 6.02) * power.imag
        power *= turn
    return total / (np.sqrt(np.mean(total**2)) + 1e-12)


def modes(rng: Generator, length: int, hertz: Samples, gains: Samples, t60s: Samples) -> Samples:
    """A struck body: sines that ring down, each at its own pace."""
    t = np.arange(length) / RATE
    total = np.zeros(length)
    for f, gain, t60 in zip(hertz, gains, t60s, strict=True):
        if f < RATE / 2:
            phase = rng.uniform(0, 2 * np.pi)
            total += gain * np.sin(2 * np.pi * f * t + phase) * 10.0 ** (-3.0 * t / t60)
    return total


def scatter(length: int, at: Samples, gains: Samples, grain: Samples) -> Samples:
    """Copies of a grain at times (s), each with its own gain."""
    total = np.zeros(length)
    for time, gain in zip(at, gains, strict=True):
        start = int(time * RATE)
        if 0 <= start < length:
            piece = grain[: length - start]
            total[start : start + piece.shape[0]] += gain * piece
    return total


def through(source: Samples, envelope: Samples) -> Samples:
    """The source through a filter that changes: `envelope` is a gain, shape (frames, 257)."""
    frames = 2 + source.shape[0] // HOP
    padded = np.zeros((frames + 1) * HOP + FRAME)
    padded[HOP : HOP + source.shape[0]] = source
    window = np.sqrt(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME))
    pieces = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP][:frames] * window
    rows = np.minimum(np.arange(frames), envelope.shape[0] - 1)
    filtered = (
        np.asarray(fft.irfft(np.asarray(fft.rfft(pieces, axis=1)) * envelope[rows], axis=1))
        * window
    )
    total = np.zeros_like(padded)
    for row in range(frames):
        total[row * HOP : row * HOP + FRAME] += filtered[row]
    return total[HOP : HOP + source.shape[0]]


def formants(tracks: Samples, bandwidths: Samples) -> Samples:
    """The gain of resonances: (frames, n) frequencies, (n,) bandwidths in Hz; (frames, 257)."""
    hertz = np.arange(FRAME // 2 + 1) * RATE / FRAME
    gain = np.ones((tracks.shape[0], hertz.shape[0]))
    for n in range(tracks.shape[1]):
        centre = tracks[:, n : n + 1]
        half = bandwidths[n] / 2
        # A pole pair's magnitude, 1 at low frequencies.
        gain *= (centre**2 + half**2) / np.sqrt(
            ((hertz - centre) ** 2 + half**2) * ((hertz + centre) ** 2 + half**2)
        )
    return gain
