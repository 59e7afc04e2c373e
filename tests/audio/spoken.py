"""Speech that is known to the sample: glottal pulses through moving formants, in syllables, phrases and pauses."""

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from tests.audio.signals import Samples

RATE = 22_050
# First three formants in Hz (Peterson, Barney 1952, men): a, e, i, o, u, and the vowel of "the".
VOWELS = (
    *((730, 1090, 2440), (530, 1840, 2480), (270, 2290, 3010)),
    *((570, 840, 2410), (300, 870, 2240), (490, 1350, 1690)),
)
BANDWIDTHS = (80.0, 100.0, 140.0)
STEP = 110  # samples between changes of the formants: 5 ms


@dataclass(frozen=True, kw_only=True)
class Spoken:
    """Samples, where the phrases are (start, end) in seconds, and how many syllables they have."""

    samples: Samples
    phrases: tuple[tuple[float, float], ...]
    syllables: int


def speak(
    phrases: int = 4,
    *,
    syllables: int = 10,
    rate_hz: float = 4.5,
    pause_s: float = 0.6,
    pitch_hz: float = 120.0,
    seed: int = 0,
    lead_s: float = 0.5,
) -> Spoken:
    """Phrases of so many syllables at that many a second, -20 dBFS while it speaks."""
    rng = np.random.default_rng(seed)
    parts: list[Samples] = [np.zeros(round(lead_s * RATE))]
    spans: list[tuple[float, float]] = []
    at = lead_s
    for _ in range(phrases):
        phrase = np.trim_zeros(_phrase(syllables, rate_hz, pitch_hz, rng), "f")
        phrase *= 0.1 / np.sqrt(np.mean(phrase**2))
        spans.append((at, at + phrase.shape[0] / RATE))
        gap = round(pause_s * rng.uniform(0.8, 1.2) * RATE)
        parts += [phrase, np.zeros(gap)]
        at += (phrase.shape[0] + gap) / RATE
    return Spoken(
        samples=np.concatenate(parts), phrases=tuple(spans), syllables=phrases * syllables
    )


def _phrase(count: int, rate_hz: float, pitch_hz: float, rng: np.random.Generator) -> Samples:
    """Syllables of a consonant (a hiss or a closure) and a vowel, the pitch falling and bending."""
    lengths = rng.uniform(0.8, 1.2, count)
    lengths *= count / rate_hz / lengths.sum()
    voice, hiss, formants, pitch = [], [], [], []
    vowels = rng.integers(0, len(VOWELS), count)
    bends = rng.uniform(-0.12, 0.12, count)
    for place, length in enumerate(lengths):
        steps = max(round(length * RATE / STEP), 8)
        consonant = max(round(0.35 * steps), 3)
        vowel = steps - consonant
        rise = np.minimum(np.arange(vowel) / 4, 1) * np.minimum(np.arange(vowel)[::-1] / 6, 1)
        voice.append(np.concatenate([np.zeros(consonant), rise * rng.uniform(0.7, 1.0)]))
        hisses = rng.random() < 0.5
        noise = np.hanning(consonant + 2)[1:-1] * (0.10 if hisses else 0.0)
        hiss.append(np.concatenate([noise, np.zeros(vowel)]))
        target = np.array(VOWELS[vowels[place]], dtype=float)
        before = np.array(VOWELS[vowels[place - 1]], dtype=float)
        move = np.minimum(np.arange(steps) / (0.6 * steps), 1)[:, None]
        formants.append(before + (target - before) * move)
        fall = 1.1 - 0.25 * (place + np.arange(steps) / steps) / count
        bend = 1 + bends[place] * np.sin(np.pi * np.arange(steps) / steps)
        pitch.append(pitch_hz * fall * bend)
    voicing, hissing = (np.repeat(np.concatenate(one), STEP) for one in (voice, hiss))
    hertz = np.repeat(np.concatenate(pitch), STEP)
    phase = np.cumsum(hertz / RATE)
    pulses = np.diff(np.floor(phase), prepend=0.0)
    source = lfilter([1.0], [1.0, -0.95], pulses) * voicing
    source += hissing * np.diff(rng.standard_normal(voicing.shape[0]), prepend=0.0)
    return _through(source, np.concatenate(formants))


def _through(source: Samples, formants: Samples) -> Samples:
    signal = source
    for which, width in enumerate(BANDWIDTHS):
        out = np.empty_like(signal)
        state = np.zeros(2)
        radius = np.exp(-np.pi * width / RATE)
        for step, hertz in enumerate(formants[:, which]):
            a = [1.0, -2 * radius * np.cos(2 * np.pi * hertz / RATE), radius**2]
            part = slice(step * STEP, (step + 1) * STEP)
            out[part], state = lfilter([sum(a)], a, signal[part], zi=state)
        signal = out
    return np.diff(signal, prepend=0.0)
