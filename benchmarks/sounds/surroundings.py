"""What is heard around us: animals, people, weather, household, machines.

The ranges span what one name covers: from a terrier to a mastiff, from a drizzle to a downpour.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from numpy.random import Generator

from benchmarks.sounds.primitives import Samples
from benchmarks.sounds.sources import (
    boom,
    call,
    chirps,
    crackle,
    crash,
    motor,
    puffs,
    signal,
    strikes,
    wash,
)

SURROUNDINGS: Final[Mapping[str, Callable[[Generator], Samples]]] = {
    "dog": partial(
        call,
        f0=(180, 600),
        glide=(0.2, 0.9),
        mouth=((500, 1000), (1200, 2200)),
        lasts=(0.09, 0.3),
        breath=(0.3, 1.5),
        wobble=(0.005, 0.03),
        count=(1, 6),
    ),
    "cat": partial(
        call,
        f0=(350, 800),
        glide=(0.1, 0.6),
        mouth=((700, 1200), (1800, 3000)),
        lasts=(0.5, 1.3),
        breath=(0.02, 0.1),
        count=(1, 3),
    ),
    "rooster": partial(
        call,
        f0=(350, 700),
        glide=(0.5, 1.2),
        mouth=((900, 1600), (2300, 3200)),
        lasts=(0.25, 0.9),
        breath=(0.05, 0.3),
        tilt=(-5, 0),
        count=(2, 4),
        gap=(0.03, 0.12),
    ),
    "crow": partial(
        call,
        f0=(250, 450),
        glide=(0.0, 0.3),
        mouth=((1100, 1700), (2000, 3000)),
        lasts=(0.2, 0.5),
        breath=(0.5, 2.0),
        wobble=(0.02, 0.06),
        count=(2, 5),
    ),
    "cow": partial(
        call,
        f0=(80, 170),
        glide=(0.1, 0.7),
        mouth=((250, 500), (700, 1200)),
        lasts=(1.0, 2.5),
        count=(1, 2),
    ),
    "sheep": partial(
        call,
        f0=(180, 400),
        glide=(0.0, 0.2),
        mouth=((500, 900), (1400, 2200)),
        lasts=(0.5, 1.2),
        wobble=(0.02, 0.05),
        count=(1, 4),
    ),
    "baby": partial(
        call,
        f0=(330, 560),
        glide=(0.1, 0.5),
        mouth=((900, 1300), (2800, 3800)),
        lasts=(0.5, 1.4),
        tilt=(-6, -1),
        count=(2, 5),
        gap=(0.1, 0.4),
    ),
    "laughter": partial(
        call,
        f0=(150, 420),
        glide=(-0.2, 0.4),
        mouth=((500, 900), (1200, 2000)),
        lasts=(0.06, 0.14),
        breath=(0.2, 0.8),
        count=(6, 14),
        gap=(0.06, 0.15),
    ),
    "frog": partial(
        call,
        f0=(60, 160),
        glide=(0.0, 0.3),
        mouth=((500, 1200), (1500, 2600)),
        lasts=(0.1, 0.4),
        wobble=(0.002, 0.03),
        count=(3, 9),
        gap=(0.1, 0.5),
    ),
    "talk": partial(
        call,
        f0=(90, 260),
        glide=(-0.3, 0.3),
        mouth=((350, 800), (900, 2200), (2300, 3000)),
        lasts=(0.1, 0.35),
        count=(6, 14),
        gap=(0.04, 0.2),
    ),
    "sneeze": partial(
        puffs,
        low=(600, 1800),
        high=(4000, 9000),
        lasts=(0.2, 0.6),
        rise=(0.1, 0.4),
        count=(1, 2),
        gap=(0.3, 1.5),
    ),
    "cough": partial(
        puffs,
        low=(250, 700),
        high=(1500, 4500),
        lasts=(0.12, 0.35),
        rise=(0.06, 0.2),
        count=(1, 5),
        gap=(0.08, 0.6),
    ),
    "breathing": partial(
        puffs,
        low=(300, 900),
        high=(2000, 5000),
        lasts=(0.6, 1.6),
        rise=(0.35, 0.6),
        count=(2, 5),
        gap=(0.1, 0.6),
    ),
    "snoring": partial(
        motor,
        fire=(22, 60),
        hiss=(0.2, 1),
        rough=(0.1, 0.5),
        resonances=(150, 1500),
        drift=0.5,
        blade=(0.2, 0.5),
    ),
    "steps": partial(
        strikes,
        hertz=(70, 200),
        ratios=(1.5, 9),
        ring=(0.03, 0.12),
        rate=(1.4, 2.6),
        steady=0.8,
        click=(0.5, 2),
    ),
    "knock": partial(
        strikes,
        hertz=(120, 350),
        ratios=(1.4, 5),
        ring=(0.06, 0.2),
        rate=(2.5, 6),
        steady=0.8,
        click=(0.3, 1.5),
        thud=True,
    ),
    "clock": partial(
        strikes,
        hertz=(1200, 4500),
        ratios=(1.2, 3),
        ring=(0.008, 0.06),
        rate=(1, 4.5),
        steady=1.0,
        click=(0.3, 2),
    ),
    "keyboard": partial(
        strikes,
        hertz=(900, 3000),
        ratios=(1.2, 4),
        ring=(0.01, 0.04),
        rate=(4, 9),
        steady=0.2,
        click=(0.5, 2),
    ),
    "mouse": partial(
        strikes,
        hertz=(1800, 4500),
        ratios=(1.1, 2.5),
        ring=(0.004, 0.02),
        rate=(1, 3.5),
        steady=0.3,
        click=(0.5, 2),
    ),
    "church_bell": partial(
        strikes,
        hertz=(150, 500),
        ratios=(1.2, 6),
        ring=(2, 5),
        rate=(0.5, 1.3),
        steady=0.85,
        partials=8,
    ),
    "small_bell": partial(
        strikes, hertz=(1500, 4000), ratios=(1.3, 4), ring=(0.4, 1.5), rate=(2, 12), steady=0.5
    ),
    "rain": partial(
        crackle,
        rate=(250, 900),
        low=(800, 2500),
        high=(5000, 10000),
        ring=(0.003, 0.02),
        heavy=0.6,
        bed=(0.3, 3),
    ),
    "fire": partial(
        crackle,
        rate=(5, 45),
        low=(500, 2500),
        high=(4000, 10000),
        ring=(0.003, 0.02),
        heavy=1.4,
        bed=(0.05, 0.5),
    ),
    "applause": partial(
        crackle,
        rate=(40, 300),
        low=(600, 1200),
        high=(2500, 6000),
        ring=(0.02, 0.06),
        heavy=0.5,
        bed=(0.1, 0.8),
    ),
    "frying": partial(
        crackle,
        rate=(80, 400),
        low=(2500, 5000),
        high=(7000, 11000),
        ring=(0.002, 0.01),
        heavy=1.0,
        bed=(0.3, 2),
    ),
    "pouring": partial(
        crackle,
        rate=(60, 250),
        low=(300, 800),
        high=(1200, 3500),
        ring=(0.015, 0.06),
        heavy=0.7,
        bed=(0.2, 1),
    ),
    "sea": partial(
        wash, slope=(-5, -2), low=(200, 700), high=(2000, 6000), turns=(0.1, 0.35), depth=(8, 25)
    ),
    "wind": partial(
        wash,
        slope=(-8, -4),
        low=(150, 700),
        high=(500, 1500),
        turns=(0.3, 1.2),
        depth=(6, 22),
        moves=1.0,
    ),
    "vacuum": partial(
        wash, slope=(-4, -1), low=(200, 900), high=(2500, 8000), turns=(0.2, 1), depth=(0, 2)
    ),
    "air": partial(
        wash, slope=(-8, -4), low=(50, 150), high=(300, 1000), turns=(0.2, 1), depth=(0, 3)
    ),
    "tap": partial(
        wash, slope=(-2, 2), low=(1000, 2500), high=(6000, 10000), turns=(1, 5), depth=(0, 5)
    ),
    "saw": partial(
        motor,
        fire=(250, 700),
        hiss=(1, 4),
        rough=(0.3, 0.8),
        resonances=(1200, 6000),
        drift=0.2,
        blade=(1.5, 4),
    ),
    "washing": partial(
        motor,
        fire=(40, 110),
        hiss=(0.5, 2),
        rough=(0.05, 0.3),
        resonances=(80, 900),
        drift=0.1,
        blade=(0.6, 2.5),
    ),
    "helicopter": partial(
        motor,
        fire=(60, 180),
        hiss=(0.7, 3),
        rough=(0.1, 0.5),
        resonances=(60, 900),
        drift=0.05,
        blade=(9, 24),
    ),
    "engine": partial(
        motor, fire=(22, 75), hiss=(0.1, 0.8), rough=(0.05, 0.3), resonances=(70, 900), drift=0.6
    ),
    "chainsaw": partial(
        motor, fire=(75, 190), hiss=(0.2, 1.2), rough=(0.1, 0.4), resonances=(400, 4500), drift=0.9
    ),
    "train": partial(
        motor,
        fire=(30, 90),
        hiss=(2, 6),
        rough=(0.3, 0.8),
        resonances=(150, 2500),
        drift=0.1,
        blade=(1.5, 5),
    ),
    "plane": partial(
        wash,
        slope=(-6, -3),
        low=(80, 300),
        high=(600, 3000),
        turns=(0.05, 0.3),
        depth=(3, 18),
        moves=-0.5,
    ),
    "siren": partial(
        signal, f0=(500, 1300), sweep=(0.4, 1.3), period=(0.3, 5), duty=(0.99, 1.0), tilt=(-10, -4)
    ),
    "horn": partial(
        signal, f0=(280, 520), sweep=(0, 0.02), period=(0.5, 4), duty=(0.3, 0.95), tilt=(-5, -1)
    ),
    "alarm": partial(
        signal,
        f0=(1200, 3300),
        sweep=(0, 0.05),
        period=(0.12, 1.2),
        duty=(0.3, 0.7),
        tilt=(-16, -5),
    ),
    "birds": partial(
        chirps, f0=(2200, 6500), sweep=(0.1, 1.0), lasts=(0.04, 0.25), rate=(0.7, 4), group=(1, 5)
    ),
    "crickets": partial(
        chirps,
        f0=(3500, 6500),
        sweep=(0.0, 0.05),
        lasts=(0.01, 0.03),
        rate=(1.5, 12),
        group=(2, 6),
    ),
    "drops": partial(
        chirps, f0=(500, 2200), sweep=(0.3, 1.2), lasts=(0.015, 0.06), rate=(1, 6), group=(1, 1)
    ),
    "glass": partial(
        crash, hertz=(2000, 9500), ring=(0.05, 0.5), pieces=(12, 45), spread=(0.1, 0.5)
    ),
    "debris": partial(
        crash, hertz=(150, 1500), ring=(0.03, 0.15), pieces=(8, 30), spread=(0.1, 0.6)
    ),
    "thunder": partial(boom, top=(150, 900), ring=(3, 8), rumble=(6, 25), count=(1, 1)),
    "fireworks": partial(boom, top=(500, 3500), ring=(0.4, 1.6), rumble=(0.5, 5), count=(2, 6)),
}
