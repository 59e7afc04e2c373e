"""Single drum hits by type, each with the parameters of another kit."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.random import Generator

from benchmarks.sounds.primitives import (
    Samples,
    between,
    decay,
    harmonics,
    modes,
    noise,
    samples,
    scatter,
    tone,
)


def _drop(rng: Generator, length: int, low: float, ratio: float, pace: float) -> Samples:
    """A skin's tone: the frequency falls from ratio · low to low."""
    t = np.arange(length) / 22_050
    return tone(low * (1 + (ratio - 1) * np.exp(-t / pace)), rng.uniform(0, np.pi))


def _kick(rng: Generator) -> Samples:
    ring = between(rng, 0.12, 1.2)
    length = samples(min(1.2, ring * rng.uniform(0.6, 1.1)))
    body = _drop(rng, length, between(rng, 38, 75), between(rng, 1.3, 6), between(rng, 0.01, 0.06))
    click = noise(rng, length, between(rng, 500, 2000), between(rng, 2500, 9000))
    sound = body * decay(length, ring, between(rng, 0.001, 0.008))
    sound = np.tanh(between(rng, 0.5, 4) * sound)
    return sound + between(rng, 0.01, 0.5) * click * decay(length, between(rng, 0.01, 0.06))


def _tom(rng: Generator) -> Samples:
    ring = between(rng, 0.25, 1.2)
    length = samples(ring * rng.uniform(0.7, 1.1))
    low = between(rng, 75, 240)
    body = _drop(rng, length, low, between(rng, 1.05, 1.8), between(rng, 0.03, 0.15))
    over = _drop(rng, length, low * rng.uniform(1.5, 1.7), 1.1, 0.1) * decay(length, ring / 2)
    stick = noise(rng, length, 300, between(rng, 2000, 7000)) * decay(length, 0.04)
    total = body * decay(length, ring, 0.002) + between(rng, 0.05, 0.5) * over
    return total + between(rng, 0.03, 0.4) * stick


def _snare(rng: Generator) -> Samples:
    ring = between(rng, 0.12, 0.6)
    length = samples(ring * rng.uniform(0.7, 1.2))
    low = between(rng, 140, 260)
    body = _drop(rng, length, low, between(rng, 1.05, 2.0), 0.02) * decay(length, ring / 2)
    body += 0.5 * tone(np.full(length, low * rng.uniform(1.5, 1.9))) * decay(length, ring / 3)
    wires = noise(rng, length, between(rng, 300, 2000), between(rng, 5000, 11000), 1.0)
    return between(rng, 0.2, 1.5) * body + between(rng, 0.4, 1.6) * wires * decay(length, ring)


def _rimshot(rng: Generator) -> Samples:
    ring = between(rng, 0.03, 0.15)
    length = samples(ring * rng.uniform(1.0, 2.0))
    low = between(rng, 350, 900)
    hertz = low * np.array([1.0, rng.uniform(1.6, 2.4), rng.uniform(2.8, 4.0), rng.uniform(5, 6)])
    body = modes(
        rng, length, hertz, np.array([1, 1, 0.7, 0.3]), ring * np.array([1, 0.8, 0.5, 0.4])
    )
    snap = noise(rng, length, 800, between(rng, 4000, 10000)) * decay(length, 0.02)
    return body + between(rng, 0.1, 1.0) * snap


def _clap(rng: Generator) -> Samples:
    ring = between(rng, 0.08, 0.5)
    length = samples(ring * rng.uniform(0.8, 1.2) + 0.04)
    centre = between(rng, 800, 2000)
    hiss = noise(rng, length, centre / between(rng, 1.2, 2), centre * between(rng, 1.3, 5), 1.5)
    count = int(rng.integers(1, 5))
    at = np.concatenate([[0.0], np.cumsum(rng.uniform(0.006, 0.014, count))])
    pulses = scatter(length, at[:-1], rng.uniform(0.5, 1.0, count), decay(samples(0.02), 0.02))
    tail = scatter(length, at[-1:], np.ones(1), decay(length, ring))
    return hiss * (pulses + between(rng, 0.3, 1.2) * tail)


def _metal(rng: Generator, length: int) -> Samples:
    base = between(rng, 250, 600)
    ratios = np.array([1.0, 1.34, 1.52, 1.79, 2.27, 2.55]) * rng.uniform(0.94, 1.06, 6)
    squares = sum(harmonics(rng, np.full(length, base * r), -6, odd=True) for r in ratios)
    return np.asarray(squares) / 2.5


def _hat(rng: Generator, ring: float, length: int) -> Samples:
    share = rng.random()
    hiss = noise(rng, length, between(rng, 3000, 8000), 12000, 3.0)
    metal = np.diff(_metal(rng, length), n=2, prepend=[0.0, 0.0])
    metal /= np.sqrt(np.mean(metal**2)) + 1e-9
    return (share * hiss + (1 - share) * metal) * decay(length, ring, between(rng, 0.0005, 0.004))


def _closed_hat(rng: Generator) -> Samples:
    ring = between(rng, 0.03, 0.16)
    return _hat(rng, ring, samples(ring * rng.uniform(0.8, 2.0)))


def _open_hat(rng: Generator) -> Samples:
    ring = between(rng, 0.3, 1.4)
    return _hat(rng, ring, samples(min(1.2, ring * rng.uniform(0.3, 1.0))))


def _cymbal(rng: Generator) -> Samples:
    ring = between(rng, 1.2, 4.0)
    length = samples(rng.uniform(0.9, 2.2))
    hiss = noise(rng, length, between(rng, 300, 1500), 11000, 1.0) * decay(length, ring, 0.004)
    return hiss + between(rng, 0.2, 1.5) * _hat(rng, ring * 0.7, length)


def _hand_drum(rng: Generator) -> Samples:
    ring = between(rng, 0.12, 0.6)
    length = samples(ring * rng.uniform(0.7, 1.3))
    low = between(rng, 180, 480)
    body = _drop(rng, length, low, between(rng, 1.0, 1.2), 0.02) * decay(length, ring, 0.001)
    hertz = low * np.array([1.5, 2.1, 2.9]) * rng.uniform(0.95, 1.05, 3)
    over = modes(rng, length, hertz, np.array([0.5, 0.4, 0.3]), ring * np.array([0.5, 0.4, 0.3]))
    slap = noise(rng, length, 800, between(rng, 2500, 8000)) * decay(length, 0.03)
    return body + between(rng, 0.1, 1) * over + between(rng, 0.03, 0.5) * slap


def _cowbell(rng: Generator) -> Samples:
    length = samples(between(rng, 0.12, 0.6))
    low = between(rng, 450, 750)
    total = harmonics(rng, np.full(length, low), -8) + harmonics(
        rng, np.full(length, low * rng.uniform(1.42, 1.55)), -8
    )
    return total * decay(length, between(rng, 0.15, 0.8))


def _woodblock(rng: Generator) -> Samples:
    ring = between(rng, 0.03, 0.14)
    length = samples(ring * rng.uniform(1.0, 2.0))
    low = between(rng, 900, 2800)
    hertz = low * np.array([1.0, rng.uniform(1.3, 2.8)])
    return modes(rng, length, hertz, np.array([1, rng.uniform(0, 0.5)]), np.array([ring, ring / 2]))


def _shaker(rng: Generator) -> Samples:
    length = samples(between(rng, 0.06, 0.3))
    hiss = noise(rng, length, between(rng, 2500, 6000), 11000, 2.0)
    return hiss * np.hanning(length + 2)[1:-1] ** between(rng, 0.7, 2.5)


def _tambourine(rng: Generator) -> Samples:
    length = samples(between(rng, 0.15, 0.7))
    hertz = rng.uniform(4000, 10500, 12)
    rings = modes(rng, length, hertz, rng.random(12), rng.uniform(0.1, 0.6, 12))
    at = np.cumsum(rng.uniform(0.005, 0.03, 5)) - 0.005
    hiss = noise(rng, length, 4500, 11000, 2.0) * decay(length, between(rng, 0.08, 0.4))
    return 0.3 * scatter(length, at, rng.random(5), rings) + hiss


def _snap(rng: Generator) -> Samples:
    length = samples(between(rng, 0.05, 0.25))
    centre = between(rng, 1400, 3000)
    crack = noise(rng, length, centre / 1.3, centre * 1.4, 3.0) * decay(length, 0.05)
    return crack + 0.2 * noise(rng, length, 1000, 8000) * decay(length, between(rng, 0.05, 0.3))


DRUMS: Final[Mapping[str, Callable[[Generator], Samples]]] = {
    "kick": _kick,
    "tom": _tom,
    "snare": _snare,
    "rimshot": _rimshot,
    "clap": _clap,
    "closed_hat": _closed_hat,
    "open_hat": _open_hat,
    "cymbal": _cymbal,
    "hand_drum": _hand_drum,
    "cowbell": _cowbell,
    "woodblock": _woodblock,
    "shaker": _shaker,
    "tambourine": _tambourine,
    "snap": _snap,
}
