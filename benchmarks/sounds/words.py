"""Made-up words, each said by many voices: vowels as formants, consonants as noise and gaps.

Formants of the vowels after Peterson and Barney (1952), noise bands of the consonants after
Stevens (1998), rounded. A voice has its pitch, its vocal tract's length, its pace, its breath.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.random import Generator

from benchmarks.sounds.primitives import (
    FRAME,
    HOP,
    RATE,
    Samples,
    band,
    between,
    coloured,
    formants,
    harmonics,
    through,
)

Row = tuple[float, ...]

VOWELS: Final[dict[str, Row]] = {
    "i": (270, 2290, 3010), "I": (390, 1990, 2550), "e": (530, 1840, 2480), "a": (660, 1720, 2410),
    "A": (730, 1090, 2440), "o": (570, 840, 2410), "U": (440, 1020, 2240), "u": (300, 870, 2240),
    "V": (640, 1190, 2390), "r": (490, 1350, 1690),
}  # fmt: skip
# Voiced consonants: formants and level.
SONORANTS: Final = {
    "m": ((250, 1000, 2200), 0.35), "n": ((250, 1500, 2500), 0.35), "l": ((360, 1300, 2700), 0.5),
    "w": ((300, 700, 2200), 0.5), "j": ((280, 2200, 3000), 0.5), "R": ((330, 1200, 1600), 0.5),
}  # fmt: skip
# Noise: from, to (Hz), level, voiced share.
FRICATIVES: Final = {
    "s": (4200, 9500, 0.35, 0.0), "S": (2200, 6500, 0.4, 0.0), "f": (1200, 10000, 0.08, 0.0),
    "T": (1500, 9000, 0.06, 0.0), "h": (500, 5000, 0.12, 0.0), "z": (4200, 9500, 0.25, 0.4),
    "v": (1000, 8000, 0.06, 0.4),
}  # fmt: skip
# The burst after the gap: from, to (Hz), level.
STOPS: Final = {
    "p": (300, 2500, 0.15), "t": (2800, 8500, 0.35), "k": (1200, 3200, 0.3), "b": (200, 1500, 0.15),
    "d": (2500, 6000, 0.25), "g": (1000, 2800, 0.25),
}  # fmt: skip
NEUTRAL: Final[Row] = (500.0, 1500.0, 2500.0)


@dataclass(frozen=True, kw_only=True)
class Voice:
    """Who speaks."""

    f0: float  # Hz
    tract: float  # 1 is a man's; formants are divided by it
    pace: float  # 1 is usual
    tilt: float  # dB per octave of the voice's source
    breath: float  # noise against the voice
    tune: float  # how the pitch moves through the word, octaves
    width: float  # bandwidths against the usual


def voice(rng: Generator) -> Voice:
    """A man, a woman or a child."""
    kind = rng.random()
    f0, tract = (115, 1.0) if kind < 0.45 else (205, 0.87) if kind < 0.85 else (270, 0.76)
    return Voice(
        f0=f0 * between(rng, 0.75, 1.3),
        tract=tract * rng.uniform(0.93, 1.07),
        pace=between(rng, 0.65, 1.6),
        tilt=rng.uniform(-12, -4),
        breath=between(rng, 0.01, 0.3),
        tune=rng.normal(0, 0.25),
        width=between(rng, 0.7, 1.8),
    )


def word(rng: Generator) -> str:
    """One or two syllables, some with clusters, diphthongs and closing consonants."""
    opening = ["", *SONORANTS, *FRICATIVES, *STOPS, "st", "sp", "tr", "fl", "kw"]
    closing = ["", "", "", "m", "n", "l", "s", "f", "v", "t", "k", "d", "ks", "nt", "z"]
    vowels = list(VOWELS)
    said = ""
    for _ in range(int(rng.choice([1, 1, 2]))):
        vowel = str(rng.choice(vowels)) + (
            str(rng.choice(["I", "U"])) if rng.random() < 0.3 else ""
        )
        said += str(rng.choice(opening)) + vowel + str(rng.choice(closing))
    return said


def say(rng: Generator, said: str, speaker: Voice) -> Samples:
    """The word in that voice, a little different each time."""
    rows: list[tuple[tuple[float, ...], float, tuple[float, float, float]]] = []
    for sign in said:
        rows += _sign(rng, sign, speaker)
    count = len(rows)
    targets = np.array([row[0] for row in rows]) / speaker.tract
    targets *= rng.normal(1.0, 0.03, 3)
    voiced = np.array([row[1] for row in rows])
    hiss = np.array([row[2] for row in rows])
    tracks = _smooth(targets, 5)
    top = np.tile(np.array([[3500, 4500]]) / speaker.tract, (count, 1))
    widths = speaker.width * np.array([70, 100, 140, 220, 300])
    mouth = formants(np.concatenate([tracks, top], axis=1), widths)
    length = count * HOP
    t = np.linspace(-0.5, 0.5, length)
    f0 = speaker.f0 * 2.0 ** (speaker.tune * t + 0.02 * np.sin(2 * np.pi * 5 * t * length / RATE))
    source = harmonics(rng, f0, speaker.tilt) + speaker.breath * coloured(rng, length, -3)
    spoken = through(source, mouth * _smooth(voiced[:, None], 3))
    hertz = np.arange(FRAME // 2 + 1) * RATE / FRAME
    colours = np.stack([level * band(hertz, low, high, 3) for low, high, level in hiss])
    return (
        spoken / (np.abs(spoken).max() + 1e-9) + through(rng.standard_normal(length), colours) * 0.3
    )


def _sign(
    rng: Generator, sign: str, speaker: Voice
) -> list[tuple[tuple[float, ...], float, tuple[float, float, float]]]:
    """Rows of (formants, level of the voice, noise), one a frame of 12 ms."""

    def frames(seconds: float) -> int:
        return max(1, round(seconds * speaker.pace * rng.uniform(0.75, 1.3) * RATE / HOP))

    still = (1000.0, 2000.0, 0.0)
    if sign in VOWELS:
        return [(VOWELS[sign], 1.0, still)] * frames(0.14)
    if sign in SONORANTS:
        shape, level = SONORANTS[sign]
        return [(shape, level, still)] * frames(0.075)
    if sign in FRICATIVES:
        low, high, level, share = FRICATIVES[sign]
        noise = (
            low / speaker.tract**0.5,
            high / speaker.tract**0.5,
            level * between(rng, 0.6, 1.7),
        )
        return [(NEUTRAL, share, noise)] * frames(0.11)
    low, high, level = STOPS.get(sign, STOPS["t"])
    burst = (float(low), float(high), level * between(rng, 0.5, 2.0))
    return [(NEUTRAL, 0.0, still)] * frames(0.055) + [(NEUTRAL, 0.05, burst)] * frames(0.025)


def _smooth(values: Samples, width: int) -> Samples:
    kernel: Samples = np.hanning(width + 2)[1:-1]
    padded = np.pad(values, ((width // 2, width // 2), (0, 0)), mode="edge")
    smooth = np.empty((padded.shape[0] - width + 1, values.shape[1]))
    for n in range(values.shape[1]):
        smooth[:, n] = np.convolve(padded[:, n], kernel / kernel.sum(), "valid").real
    return smooth
