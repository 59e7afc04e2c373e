"""Mixes whose stems are made, of a seed: what only luck is good at on a handful of recordings shows here.

A bar of drums and of chords comes back again and again, as it was or at another level each time; over it lie a voice
(glides, vibrato, two formants that move, pauses), a lead of plucked notes, or a pad of slow chords.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from harken.audio.blocks import Floats

RATE: Final = 44_100
SECONDS: Final = 24
LEVEL: Final = 0.1  # RMS of every part

Doubles = NDArray[np.float64]


def made_mixes(seed: int) -> Iterator[tuple[str, bool, tuple[Floats, Floats]]]:
    """Names, whether the percussive is to be told from the harmonic (or what is over a loop from it), and stems."""
    rng = np.random.default_rng(seed)
    beat_s = 60 / rng.uniform(80, 140)
    drums, chords = _drums(rng, beat_s), _chords(rng, beat_s)
    pad, voice, lead = _level(_pad(rng)), _level(_voice(rng)), _level(_lead(rng, beat_s))
    beaten, strummed = _level(_again(drums)), _level(_again(chords))
    band = beaten + strummed
    changing = _level(_again(drums, rng)) + _level(_again(chords, rng))
    yield f"{seed}: pad / drums", True, (_stereo(pad, -0.2), _stereo(beaten, 0.1))
    yield f"{seed}: chords / drums", True, (_stereo(strummed, 0.3), _stereo(beaten, 0))
    yield f"{seed}: loop / voice", False, (_stereo(_level(band), 0), _stereo(voice, 0))
    yield (
        f"{seed}: changing loop / voice",
        False,
        (_stereo(_level(changing), 0.2), _stereo(voice, -0.1)),
    )
    yield f"{seed}: loop / lead", False, (_stereo(_level(band), 0.2), _stereo(0.7 * lead, -0.2))


def _drums(rng: np.random.Generator, beat_s: float) -> Doubles:
    bar = np.zeros(round(4 * beat_s * RATE))
    for eighth in range(8):
        start = eighth * bar.shape[0] // 8
        t = np.arange(min(round(0.3 * RATE), bar.shape[0] - start)) / RATE
        hit = 0.15 * rng.standard_normal(t.shape[0]) * np.exp(-t / 0.03)
        if eighth % 4 == 0:
            hit += (
                0.8 * np.sin(2 * np.pi * (55 * t + 4 * (1 - np.exp(-t / 0.03)))) * np.exp(-t / 0.12)
            )
        if eighth % 4 == 2:
            hit += 0.4 * rng.standard_normal(t.shape[0]) * np.exp(-t / 0.08)
        bar[start : start + t.shape[0]] += hit
    return bar


def _chords(rng: np.random.Generator, beat_s: float) -> Doubles:
    t = np.arange(round(beat_s * RATE)) / RATE
    shape = np.minimum(1, t / 0.01) * np.exp(-t / 0.8)
    return np.concatenate(
        [
            shape * sum(_tone(rng, float(root) + above, t) for above in (0, 4, 7))
            for root in rng.integers(40, 56, 4)
        ]
    )


def _tone(rng: np.random.Generator, note: float, t: Doubles, overtones: int = 8) -> Doubles:
    hertz = 440 * 2 ** ((note - 69) / 12)
    tones = [
        np.sin(2 * np.pi * hertz * k * t + rng.uniform(0, 6)) / k for k in range(1, overtones + 1)
    ]
    return np.sum(tones, axis=0)


def _pad(rng: np.random.Generator) -> Doubles:
    t = np.arange(SECONDS * RATE) / RATE
    pad = np.zeros_like(t)
    for start in range(0, SECONDS + 1, 3):
        swell = np.clip(np.minimum(t - start, (start + 3.8 - t) / 0.8), 0, 1)
        root = rng.integers(45, 65)
        pad += swell * sum(_tone(rng, float(root) + above, t, 5) for above in (0, 3, 7))
    return pad


def _voice(rng: np.random.Generator) -> Doubles:
    t = np.arange(SECONDS * RATE) / RATE
    syllables, moves = np.arange(0, SECONDS + 1, 0.4), np.arange(0, SECONDS + 1, 0.2)
    melody = np.log(180) + 0.3 * rng.standard_normal(syllables.shape[0])
    f0 = np.exp(np.interp(t, syllables, melody)) * (1 + 0.02 * np.sin(2 * np.pi * 5.5 * t))
    phase = 2 * np.pi * np.cumsum(f0) / RATE
    first = np.interp(t, moves, rng.uniform(300, 900, moves.shape[0]))
    voice = np.zeros_like(t)
    for k in range(1, 30):
        formants = 1 / (1 + ((k * f0 - first) / 150) ** 2)
        formants += 0.5 / (1 + ((k * f0 - 3 * first) / 250) ** 2)
        voice += np.sin(k * phase) * formants / k**0.5
    sung = np.repeat(rng.random(syllables.shape[0] + 2) < 0.7, round(0.4 * RATE))[: t.shape[0]]
    return voice * np.convolve(sung, np.hanning(2001) / 1000, "same")


def _lead(rng: np.random.Generator, beat_s: float) -> Doubles:
    lead = np.zeros(SECONDS * RATE)
    at = 0
    while at < lead.shape[0]:
        length = min(round(rng.choice([0.5, 1.0, 1.5]) * beat_s * RATE), lead.shape[0] - at)
        t = np.arange(length) / RATE
        note = (
            _tone(rng, float(rng.integers(60, 84)), t) * np.minimum(1, t / 0.01) * np.exp(-t / 0.5)
        )
        lead[at : at + length] = note
        at += length
    return lead


def _again(bar: Doubles, rng: np.random.Generator | None = None) -> Doubles:
    """The bar again and again; with `rng` at another level each time, up to a fifth."""
    count = -(-SECONDS * RATE // bar.shape[0])
    gains = np.ones(count) if rng is None else rng.uniform(0.8, 1.2, count)
    return np.concatenate([gain * bar for gain in gains])[: SECONDS * RATE]


def _level(part: Doubles) -> Doubles:
    return part * LEVEL / np.sqrt(np.mean(part**2))


def _stereo(part: Doubles, side: float) -> Floats:
    return np.stack([part * (1 - side), part * (1 + side)]).astype(np.float32)
