"""How things sound: cries, breath, strikes, crackle, wash, motors; up to six seconds each.

Ranges are drawn from once a sound, so that one dog is not another.
"""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from benchmarks.sounds.primitives import (
    HOP,
    RATE,
    Samples,
    between,
    coloured,
    decay,
    formants,
    harmonics,
    hump,
    modes,
    noise,
    samples,
    scatter,
    slow,
    through,
    tone,
)

Range = tuple[float, float]


def repeat(
    rng: Generator, one: Callable[[Generator], Samples], count: Range, gap: Range
) -> Samples:
    """The same source heard a few times."""
    times = int(rng.integers(int(count[0]), int(count[1]) + 1))
    pieces: list[Samples] = []
    for _ in range(times):
        pieces += [one(rng) * rng.uniform(0.6, 1.0), np.zeros(samples(between(rng, *gap)))]
    return np.concatenate(pieces)[: samples(6)]


def call(
    rng: Generator,
    *,
    f0: Range,
    glide: Range,
    mouth: tuple[Range, ...],
    lasts: Range,
    breath: Range = (0.02, 0.2),
    wobble: Range = (0.001, 0.01),
    tilt: Range = (-10, -4),
    count: Range = (1, 4),
    gap: Range = (0.15, 1.0),
) -> Samples:
    """A voiced cry: harmonics under an arching pitch, through a mouth that opens."""
    base, arch = between(rng, *f0), rng.uniform(*glide)
    centres = np.array([between(rng, *part) for part in mouth])
    slope, hiss, shake = rng.uniform(*tilt), between(rng, *breath), between(rng, *wobble)

    def one(rng: Generator) -> Samples:
        length = samples(between(rng, *lasts))
        t = np.linspace(0, 1, length)
        track = base * 2.0 ** (arch * np.sin(np.pi * t) + rng.normal(0, 0.08))
        track *= 1 + shake * 10 * (slow(rng, length, 30) - 0.5)
        source = harmonics(rng, track, slope) + hiss * coloured(rng, length, -3)
        frames = 2 + length // HOP
        opening = 0.75 + 0.5 * np.sin(np.pi * np.linspace(0, 1, frames))[:, None]
        shaped = through(source, formants(centres * opening, 0.12 * centres + 60))
        return shaped * hump(length, rng.uniform(0.15, 0.5), 0.7)

    return repeat(rng, one, count, gap)


def puffs(
    rng: Generator,
    *,
    low: Range,
    high: Range,
    lasts: Range,
    rise: Range,
    count: Range,
    gap: Range,
) -> Samples:
    """Bursts of breath or friction."""
    bottom, top = between(rng, *low), between(rng, *high)

    def one(rng: Generator) -> Samples:
        length = samples(between(rng, *lasts))
        return noise(rng, length, bottom, top, 1.5) * hump(length, rng.uniform(*rise), 1.3)

    return repeat(rng, one, count, gap)


def strikes(
    rng: Generator,
    *,
    hertz: Range,
    ratios: Range,
    ring: Range,
    rate: Range,
    steady: float,
    click: Range = (0.1, 1.0),
    partials: int = 5,
    thud: bool = False,
) -> Samples:
    """Something struck again and again; `steady` 1 is a clock, 0 is chance."""
    length = samples(rng.uniform(3, 6))
    low = between(rng, *hertz)
    spread = np.concatenate([[1.0], rng.uniform(*ratios, partials - 1)])
    t60 = between(rng, *ring)
    grain = modes(
        rng, samples(min(3, 1.2 * t60)), low * spread, 0.3 + rng.random(partials), t60 / spread**0.5
    )
    hiss = noise(rng, grain.shape[0], 80 if thud else 1500, 1200 if thud else 9000)
    grain += between(rng, *click) * hiss * decay(grain.shape[0], 0.04)
    each = 1.0 / between(rng, *rate)
    at = np.arange(rng.random() * min(each, 1), 6, each)
    at = at + (1 - steady) * each * rng.uniform(-0.5, 0.5, at.shape[0])
    gains = 1 - (1 - steady) * rng.random(at.shape[0])
    if steady > 0.9:
        gains[::2] *= rng.uniform(0.5, 1)  # tick, tock
    return scatter(length, at, gains, grain)


def crackle(
    rng: Generator, *, rate: Range, low: Range, high: Range, ring: Range, heavy: float, bed: Range
) -> Samples:
    """Many small bursts by chance: rain, fire, applause; `heavy` makes a few of them much louder."""
    length = samples(5.5)
    total = np.zeros(length)
    bottom, top = between(rng, *low), between(rng, *high)
    per_second, t60 = between(rng, *rate), between(rng, *ring)
    for _ in range(6):  # six kinds of drops
        size = max(8, samples(1.2 * t60))
        grain = noise(
            rng, size, bottom * between(rng, 0.6, 1.6), top * between(rng, 0.6, 1.6)
        ) * decay(size, t60)
        count = 1 + int(rng.poisson(min(per_second, 700) * 5.5 / 6))
        gains = rng.lognormal(0, heavy, count)
        total += scatter(length, rng.uniform(0, 5.5, count), gains, grain)
    total /= np.sqrt(np.mean(total**2)) + 1e-9
    return total + between(rng, *bed) * noise(rng, length, bottom / 2, top, 1.0)


def wash(
    rng: Generator,
    *,
    slope: Range,
    low: Range,
    high: Range,
    turns: Range,
    depth: Range,
    moves: float = 0,
) -> Samples:
    """Steady or swelling noise: wind, waves, a vacuum cleaner."""
    length = samples(5.5)
    swell = slow(rng, length, between(rng, *turns))
    sound = coloured(rng, length, rng.uniform(*slope)) + noise(
        rng, length, between(rng, *low), between(rng, *high)
    )
    if moves:
        centre = between(rng, *low) * 2.0 ** (moves * swell)
        tracks = centre[::HOP, None]
        sound = through(sound, formants(tracks, np.array([0.3 * tracks.mean()])))
    return sound * 10.0 ** (-rng.uniform(*depth) * (1 - swell) / 20)


def motor(
    rng: Generator,
    *,
    fire: Range,
    hiss: Range,
    rough: Range,
    resonances: Range,
    drift: float,
    blade: Range = (0, 0),
) -> Samples:
    """Regular firing through resonances: engine, chainsaw, rotor."""
    length = samples(5.5)
    pace = between(rng, *fire) * 2.0 ** (drift * (slow(rng, length, 0.5) - 0.5))
    turns = np.cumsum(pace) / RATE
    firing = np.flatnonzero(np.diff(np.floor(turns)) > 0)
    source = np.zeros(length)
    source[firing] = 1 + rng.normal(0, between(rng, *rough), firing.shape[0])
    centres = np.sort(rng.uniform(*resonances, 4))
    sound = through(source, formants(centres[None, :], 0.3 * centres))
    sound /= np.sqrt(np.mean(sound**2)) + 1e-9
    hum = noise(rng, length, resonances[0], resonances[1] * 2, 1.0)
    sound = sound + between(rng, *hiss) * hum
    if blade[1]:
        beat = 0.5 + 0.5 * np.sin(
            2 * np.pi * np.cumsum(np.full(length, between(rng, *blade))) / RATE
        )
        sound = sound * (0.1 + 0.9 * beat ** between(rng, 1, 5))
    return sound


def signal(
    rng: Generator, *, f0: Range, sweep: Range, period: Range, duty: Range, tilt: Range
) -> Samples:
    """Made to be heard: sirens, horns, beeps."""
    length = samples(5.5)
    t = np.arange(length) / RATE
    turn = 2 * np.pi * t / between(rng, *period) + rng.uniform(0, 6)
    wave = np.sin(turn) if rng.random() < 0.6 else np.sign(np.sin(turn))
    track = between(rng, *f0) * 2.0 ** (rng.uniform(*sweep) * wave / 2)
    on = ((turn / (2 * np.pi)) % 1) < rng.uniform(*duty)
    gate = np.convolve(on.astype(np.float64), np.ones(100) / 100, "same")
    return harmonics(rng, track, rng.uniform(*tilt)) * gate


def chirps(
    rng: Generator, *, f0: Range, sweep: Range, lasts: Range, rate: Range, group: Range
) -> Samples:
    """Whistles and trills: birds, crickets, drops."""
    length = samples(5.5)
    size = samples(between(rng, *lasts))
    glide = rng.uniform(*sweep) * rng.choice([-1, 1])
    grain = tone(between(rng, *f0) * 2.0 ** (glide * np.linspace(-0.5, 0.5, size))) * np.hanning(
        size
    )
    each, within = 1.0 / between(rng, *rate), rng.integers(int(group[0]), int(group[1]) + 1)
    start = np.arange(rng.random() * each, 5.5, each) * 1.0
    start = start + each * 0.2 * rng.normal(0, 1, start.shape[0])
    at = (start[:, None] + np.arange(within) * size / RATE * 1.3).ravel()
    return scatter(length, at, rng.uniform(0.5, 1, at.shape[0]), grain)


def crash(rng: Generator, *, hertz: Range, ring: Range, pieces: Range, spread: Range) -> Samples:
    """A break: one blow and what falls after it."""
    length = samples(rng.uniform(1.5, 4))
    total = noise(rng, length, 300, 9000) * decay(length, between(rng, 0.1, 0.4))
    for _ in range(int(rng.integers(int(pieces[0]), int(pieces[1])))):
        size = samples(between(rng, *ring))
        grain = modes(rng, size, rng.uniform(*hertz, 3), rng.random(3), np.full(3, size / RATE))
        when = rng.exponential(between(rng, *spread))
        total += scatter(length, np.array([when]), rng.lognormal(-1, 0.7, 1), grain)
    return total


def boom(rng: Generator, *, top: Range, ring: Range, rumble: Range, count: Range) -> Samples:
    """Thunder, fireworks, a door that slams."""

    def one(rng: Generator) -> Samples:
        t60 = between(rng, *ring)
        length = samples(min(5, t60))
        roll = 10.0 ** (-between(rng, *rumble) * slow(rng, length, 6) / 20)
        return (
            noise(rng, length, 25, between(rng, *top), 1.0)
            * decay(length, t60, between(rng, 0.003, 0.05))
            * roll
        )

    return repeat(rng, one, count, (0.05, 1.2))
