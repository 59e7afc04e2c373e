"""What is heard around us: animals, people, weather, household, machines; up to six seconds each."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

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


def _repeat(
    rng: Generator, one: Callable[[Generator], Samples], count: Range, gap: Range
) -> Samples:
    """The same source heard a few times."""
    times = int(rng.integers(int(count[0]), int(count[1]) + 1))
    pieces: list[Samples] = []
    for _ in range(times):
        pieces += [one(rng) * rng.uniform(0.6, 1.0), np.zeros(samples(between(rng, *gap)))]
    return np.concatenate(pieces)[: samples(6)]


def _call(
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

    return _repeat(rng, one, count, gap)


def _puffs(
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

    return _repeat(rng, one, count, gap)


def _strikes(
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
    grain = modes(rng, samples(min(3, 1.2 * t60)), low * spread, 0.3 + rng.random(partials), t60 / spread**0.5)
    hiss = noise(rng, grain.shape[0], 80 if thud else 1500, 1200 if thud else 9000)
    grain += between(rng, *click) * hiss * decay(grain.shape[0], 0.04)
    each = 1.0 / between(rng, *rate)
    at = np.arange(rng.random() * min(each, 1), 6, each)
    at = at + (1 - steady) * each * rng.uniform(-0.5, 0.5, at.shape[0])
    gains = 1 - (1 - steady) * rng.random(at.shape[0])
    if steady > 0.9:
        gains[::2] *= rng.uniform(0.5, 1)  # tick, tock
    return scatter(length, at, gains, grain)


def _crackle(
    rng: Generator, *, rate: Range, low: Range, high: Range, ring: Range, heavy: float, bed: Range
) -> Samples:
    """Many small bursts by chance: rain, fire, applause; `heavy` makes a few of them much louder."""
    length = samples(5.5)
    total = np.zeros(length)
    bottom, top = between(rng, *low), between(rng, *high)
    per_second, t60 = between(rng, *rate), between(rng, *ring)
    for _ in range(6):  # six kinds of drops
        size = max(8, samples(1.2 * t60))
        grain = noise(rng, size, bottom * between(rng, 0.6, 1.6), top * between(rng, 0.6, 1.6)) * decay(size, t60)
        count = 1 + int(rng.poisson(min(per_second, 700) * 5.5 / 6))
        gains = rng.lognormal(0, heavy, count)
        total += scatter(length, rng.uniform(0, 5.5, count), gains, grain)
    total /= np.sqrt(np.mean(total**2)) + 1e-9
    return total + between(rng, *bed) * noise(rng, length, bottom / 2, top, 1.0)


def _wash(
    rng: Generator, *, slope: Range, low: Range, high: Range, turns: Range, depth: Range, moves: float = 0
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


def _motor(
    rng: Generator, *, fire: Range, hiss: Range, rough: Range, resonances: Range, drift: float, blade: Range = (0, 0)
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
        beat = 0.5 + 0.5 * np.sin(2 * np.pi * np.cumsum(np.full(length, between(rng, *blade))) / RATE)
        sound = sound * (0.1 + 0.9 * beat ** between(rng, 1, 5))
    return sound


def _signal(rng: Generator, *, f0: Range, sweep: Range, period: Range, duty: Range, tilt: Range) -> Samples:
    """Made to be heard: sirens, horns, beeps."""
    length = samples(5.5)
    t = np.arange(length) / RATE
    turn = 2 * np.pi * t / between(rng, *period) + rng.uniform(0, 6)
    wave = np.sin(turn) if rng.random() < 0.6 else np.sign(np.sin(turn))
    track = between(rng, *f0) * 2.0 ** (rng.uniform(*sweep) * wave / 2)
    on = ((turn / (2 * np.pi)) % 1) < rng.uniform(*duty)
    gate = np.convolve(on.astype(np.float64), np.ones(100) / 100, "same")
    return harmonics(rng, track, rng.uniform(*tilt)) * gate


def _chirps(rng: Generator, *, f0: Range, sweep: Range, lasts: Range, rate: Range, group: Range) -> Samples:
    """Whistles and trills: birds, crickets, drops."""
    length = samples(5.5)
    size = samples(between(rng, *lasts))
    glide = rng.uniform(*sweep) * rng.choice([-1, 1])
    grain = tone(between(rng, *f0) * 2.0 ** (glide * np.linspace(-0.5, 0.5, size))) * np.hanning(size)
    each, within = 1.0 / between(rng, *rate), rng.integers(int(group[0]), int(group[1]) + 1)
    start = np.arange(rng.random() * each, 5.5, each) * 1.0
    start = start + each * 0.2 * rng.normal(0, 1, start.shape[0])
    at = (start[:, None] + np.arange(within) * size / RATE * 1.3).ravel()
    return scatter(length, at, rng.uniform(0.5, 1, at.shape[0]), grain)


def _crash(rng: Generator, *, hertz: Range, ring: Range, pieces: Range, spread: Range) -> Samples:
    """A break: one blow and what falls after it."""
    length = samples(rng.uniform(1.5, 4))
    total = noise(rng, length, 300, 9000) * decay(length, between(rng, 0.1, 0.4))
    for _ in range(int(rng.integers(int(pieces[0]), int(pieces[1])))):
        size = samples(between(rng, *ring))
        grain = modes(rng, size, rng.uniform(*hertz, 3), rng.random(3), np.full(3, size / RATE))
        when = rng.exponential(between(rng, *spread))
        total += scatter(length, np.array([when]), rng.lognormal(-1, 0.7, 1), grain)
    return total


def _boom(rng: Generator, *, top: Range, ring: Range, rumble: Range, count: Range) -> Samples:
    """Thunder, fireworks, a door that slams."""

    def one(rng: Generator) -> Samples:
        t60 = between(rng, *ring)
        length = samples(min(5, t60))
        roll = 10.0 ** (-between(rng, *rumble) * slow(rng, length, 6) / 20)
        return noise(rng, length, 25, between(rng, *top), 1.0) * decay(length, t60, between(rng, 0.003, 0.05)) * roll

    return _repeat(rng, one, count, (0.05, 1.2))


SURROUNDINGS: Final[Mapping[str, Callable[[Generator], Samples]]] = {
    "dog": partial(_call, f0=(180, 600), glide=(0.2, 0.9), mouth=((500, 1000), (1200, 2200)), lasts=(0.09, 0.3), breath=(0.3, 1.5), wobble=(0.005, 0.03), count=(1, 6)),
    "cat": partial(_call, f0=(350, 800), glide=(0.1, 0.6), mouth=((700, 1200), (1800, 3000)), lasts=(0.5, 1.3), breath=(0.02, 0.1), count=(1, 3)),
    "rooster": partial(_call, f0=(350, 700), glide=(0.5, 1.2), mouth=((900, 1600), (2300, 3200)), lasts=(0.25, 0.9), breath=(0.05, 0.3), tilt=(-5, 0), count=(2, 4), gap=(0.03, 0.12)),
    "crow": partial(_call, f0=(250, 450), glide=(0.0, 0.3), mouth=((1100, 1700), (2000, 3000)), lasts=(0.2, 0.5), breath=(0.5, 2.0), wobble=(0.02, 0.06), count=(2, 5)),
    "cow": partial(_call, f0=(80, 170), glide=(0.1, 0.7), mouth=((250, 500), (700, 1200)), lasts=(1.0, 2.5), count=(1, 2)),
    "sheep": partial(_call, f0=(180, 400), glide=(0.0, 0.2), mouth=((500, 900), (1400, 2200)), lasts=(0.5, 1.2), wobble=(0.02, 0.05), count=(1, 4)),
    "baby": partial(_call, f0=(330, 560), glide=(0.1, 0.5), mouth=((900, 1300), (2800, 3800)), lasts=(0.5, 1.4), tilt=(-6, -1), count=(2, 5), gap=(0.1, 0.4)),
    "laughter": partial(_call, f0=(150, 420), glide=(-0.2, 0.4), mouth=((500, 900), (1200, 2000)), lasts=(0.06, 0.14), breath=(0.2, 0.8), count=(6, 14), gap=(0.06, 0.15)),
    "frog": partial(_call, f0=(60, 160), glide=(0.0, 0.3), mouth=((500, 1200), (1500, 2600)), lasts=(0.1, 0.4), wobble=(0.002, 0.03), count=(3, 9), gap=(0.1, 0.5)),
    "talk": partial(_call, f0=(90, 260), glide=(-0.3, 0.3), mouth=((350, 800), (900, 2200), (2300, 3000)), lasts=(0.1, 0.35), count=(6, 14), gap=(0.04, 0.2)),
    "sneeze": partial(_puffs, low=(600, 1800), high=(4000, 9000), lasts=(0.2, 0.6), rise=(0.1, 0.4), count=(1, 2), gap=(0.3, 1.5)),
    "cough": partial(_puffs, low=(250, 700), high=(1500, 4500), lasts=(0.12, 0.35), rise=(0.06, 0.2), count=(1, 5), gap=(0.08, 0.6)),
    "breathing": partial(_puffs, low=(300, 900), high=(2000, 5000), lasts=(0.6, 1.6), rise=(0.35, 0.6), count=(2, 5), gap=(0.1, 0.6)),
    "snoring": partial(_motor, fire=(22, 60), hiss=(0.2, 1), rough=(0.1, 0.5), resonances=(150, 1500), drift=0.5, blade=(0.2, 0.5)),
    "steps": partial(_strikes, hertz=(70, 200), ratios=(1.5, 9), ring=(0.03, 0.12), rate=(1.4, 2.6), steady=0.8, click=(0.5, 2)),
    "knock": partial(_strikes, hertz=(120, 350), ratios=(1.4, 5), ring=(0.06, 0.2), rate=(2.5, 6), steady=0.8, click=(0.3, 1.5), thud=True),
    "clock": partial(_strikes, hertz=(1200, 4500), ratios=(1.2, 3), ring=(0.008, 0.06), rate=(1, 4.5), steady=1.0, click=(0.3, 2)),
    "keyboard": partial(_strikes, hertz=(900, 3000), ratios=(1.2, 4), ring=(0.01, 0.04), rate=(4, 9), steady=0.2, click=(0.5, 2)),
    "mouse": partial(_strikes, hertz=(1800, 4500), ratios=(1.1, 2.5), ring=(0.004, 0.02), rate=(1, 3.5), steady=0.3, click=(0.5, 2)),
    "church_bell": partial(_strikes, hertz=(150, 500), ratios=(1.2, 6), ring=(2, 5), rate=(0.5, 1.3), steady=0.85, partials=8),
    "small_bell": partial(_strikes, hertz=(1500, 4000), ratios=(1.3, 4), ring=(0.4, 1.5), rate=(2, 12), steady=0.5),
    "rain": partial(_crackle, rate=(250, 900), low=(800, 2500), high=(5000, 10000), ring=(0.003, 0.02), heavy=0.6, bed=(0.3, 3)),
    "fire": partial(_crackle, rate=(5, 45), low=(500, 2500), high=(4000, 10000), ring=(0.003, 0.02), heavy=1.4, bed=(0.05, 0.5)),
    "applause": partial(_crackle, rate=(40, 300), low=(600, 1200), high=(2500, 6000), ring=(0.02, 0.06), heavy=0.5, bed=(0.1, 0.8)),
    "frying": partial(_crackle, rate=(80, 400), low=(2500, 5000), high=(7000, 11000), ring=(0.002, 0.01), heavy=1.0, bed=(0.3, 2)),
    "pouring": partial(_crackle, rate=(60, 250), low=(300, 800), high=(1200, 3500), ring=(0.015, 0.06), heavy=0.7, bed=(0.2, 1)),
    "sea": partial(_wash, slope=(-5, -2), low=(200, 700), high=(2000, 6000), turns=(0.1, 0.35), depth=(8, 25)),
    "wind": partial(_wash, slope=(-8, -4), low=(150, 700), high=(500, 1500), turns=(0.3, 1.2), depth=(6, 22), moves=1.0),
    "vacuum": partial(_wash, slope=(-4, -1), low=(200, 900), high=(2500, 8000), turns=(0.2, 1), depth=(0, 2)),
    "air": partial(_wash, slope=(-8, -4), low=(50, 150), high=(300, 1000), turns=(0.2, 1), depth=(0, 3)),
    "tap": partial(_wash, slope=(-2, 2), low=(1000, 2500), high=(6000, 10000), turns=(1, 5), depth=(0, 5)),
    "saw": partial(_motor, fire=(250, 700), hiss=(1, 4), rough=(0.3, 0.8), resonances=(1200, 6000), drift=0.2, blade=(1.5, 4)),
    "washing": partial(_motor, fire=(40, 110), hiss=(0.5, 2), rough=(0.05, 0.3), resonances=(80, 900), drift=0.1, blade=(0.6, 2.5)),
    "helicopter": partial(_motor, fire=(60, 180), hiss=(0.7, 3), rough=(0.1, 0.5), resonances=(60, 900), drift=0.05, blade=(9, 24)),
    "engine": partial(_motor, fire=(22, 75), hiss=(0.1, 0.8), rough=(0.05, 0.3), resonances=(70, 900), drift=0.6),
    "chainsaw": partial(_motor, fire=(75, 190), hiss=(0.2, 1.2), rough=(0.1, 0.4), resonances=(400, 4500), drift=0.9),
    "train": partial(_motor, fire=(30, 90), hiss=(2, 6), rough=(0.3, 0.8), resonances=(150, 2500), drift=0.1, blade=(1.5, 5)),
    "plane": partial(_wash, slope=(-6, -3), low=(80, 300), high=(600, 3000), turns=(0.05, 0.3), depth=(3, 18), moves=-0.5),
    "siren": partial(_signal, f0=(500, 1300), sweep=(0.4, 1.3), period=(0.3, 5), duty=(0.99, 1.0), tilt=(-10, -4)),
    "horn": partial(_signal, f0=(280, 520), sweep=(0, 0.02), period=(0.5, 4), duty=(0.3, 0.95), tilt=(-5, -1)),
    "alarm": partial(_signal, f0=(1200, 3300), sweep=(0, 0.05), period=(0.12, 1.2), duty=(0.3, 0.7), tilt=(-16, -5)),
    "birds": partial(_chirps, f0=(2200, 6500), sweep=(0.1, 1.0), lasts=(0.04, 0.25), rate=(0.7, 4), group=(1, 5)),
    "crickets": partial(_chirps, f0=(3500, 6500), sweep=(0.0, 0.05), lasts=(0.01, 0.03), rate=(1.5, 12), group=(2, 6)),
    "drops": partial(_chirps, f0=(500, 2200), sweep=(0.3, 1.2), lasts=(0.015, 0.06), rate=(1, 6), group=(1, 1)),
    "glass": partial(_crash, hertz=(2000, 9500), ring=(0.05, 0.5), pieces=(12, 45), spread=(0.1, 0.5)),
    "debris": partial(_crash, hertz=(150, 1500), ring=(0.03, 0.15), pieces=(8, 30), spread=(0.1, 0.6)),
    "thunder": partial(_boom, top=(150, 900), ring=(3, 8), rumble=(6, 25), count=(1, 1)),
    "fireworks": partial(_boom, top=(500, 3500), ring=(0.4, 1.6), rumble=(0.5, 5), count=(2, 6)),
}
