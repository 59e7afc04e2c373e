"""What happens between a sound and its file: distance, room, equipment, editing, coding."""

import numpy as np
from numpy.random import Generator
from scipy import fft

from benchmarks.sounds.primitives import RATE, Samples, between, coloured, samples


def record(rng: Generator, sound: Samples, *, clip_s: float | None = None) -> Samples:
    """The sound as another recording would hold it; `clip_s` pads or cuts it to a fixed length."""
    sound = sound / (np.abs(sound).max() + 1e-12)
    if rng.random() < 0.5:
        sound = _room(rng, sound)
    sound = _placed(rng, sound, clip_s)
    sound = _equalised(rng, sound)
    level = np.sqrt(np.mean(sound**2)) + 1e-12
    sound = sound + level * 10.0 ** (-rng.uniform(20, 75) / 20) * coloured(
        rng, sound.shape[0], rng.uniform(-5, 1)
    )
    sound = 10.0 ** (-rng.uniform(1, 30) / 20) * sound / (np.abs(sound).max() + 1e-12)
    return np.round(sound * 32767) / 32768  # 16 bits


def _room(rng: Generator, sound: Samples) -> Samples:
    ring = between(rng, 0.1, 1.2)
    length = samples(ring * 0.6)
    answer = coloured(rng, length, rng.uniform(-4, 0)) * 10.0 ** (
        -3 * np.arange(length) / RATE / ring
    )
    answer *= 10.0 ** (-rng.uniform(8, 30) / 20) / np.sqrt(np.sum(answer**2))
    answer[0] += 1.0
    whole = sound.shape[0] + length // 2
    size = fft.next_fast_len(sound.shape[0] + length, real=True)
    wet = np.asarray(
        fft.irfft(np.asarray(fft.rfft(sound, size)) * np.asarray(fft.rfft(answer, size)), size)
    )
    return wet[:whole]


def _placed(rng: Generator, sound: Samples, clip_s: float | None) -> Samples:
    """Silence around the sound, or a cut from it."""
    if clip_s is None:
        before = samples(rng.choice([0.0, 0.0, between(rng, 0.002, 0.3)]))
        after = samples(rng.choice([0.0, 0.0, between(rng, 0.01, 0.6)]))
        return np.pad(sound, (before, after))
    length = samples(clip_s)
    if sound.shape[0] >= length:
        start = int(rng.integers(0, sound.shape[0] - length + 1))
        return sound[start : start + length]
    before = int(rng.integers(0, length - sound.shape[0] + 1)) if rng.random() < 0.5 else 0
    return np.pad(sound, (before, length - sound.shape[0] - before))


def _equalised(rng: Generator, sound: Samples) -> Samples:
    """A tilt, a few bumps, a low end that is missing, a top that is cut."""
    size = fft.next_fast_len(sound.shape[0] + 512, real=True)
    hertz = np.maximum(fft.rfftfreq(size, 1 / RATE), 10.0)
    decibels = rng.normal(0, 1.5) * np.log2(hertz / 1000)
    for _ in range(3):
        centre, width = between(rng, 60, 9000), rng.uniform(0.3, 1.5)
        decibels = decibels + rng.normal(0, 3) * np.exp(
            -0.5 * (np.log2(hertz / centre) / width) ** 2
        )
    gain = 10.0 ** (np.clip(decibels, -30, 30) / 20)
    gain /= np.sqrt(1.0 + (between(rng, 15, 150) / hertz) ** 4)
    top = float(rng.choice([11000, 11000, 11000, 9000, 7500, 5500, 4000]))
    gain /= 1.0 + (hertz / top) ** 24
    return np.asarray(fft.irfft(np.asarray(fft.rfft(sound, size)) * gain, size))[: sound.shape[0]]
