"""The colours of pictures: a palette of 256, so that a picture is a byte a pixel.

Magma and viridis are perceptually even and told apart by those who see no red or green (van der Walt,
Smith 2015; placed in the public domain, CC0, here every sixteenth of their steps). What stands beside
them is of Okabe and Ito's set for the same reason.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

MAGMA: Final = (
    "000004 0a0822 1d1147 36106b 51127c 6a1c81 832681 9c2e7f b73779"
    " d0416f e75263 f56b5c fc8961 fea772 fec488 fde2a3 fcfdbf"
)
VIRIDIS: Final = (
    "440154 48186a 472d7b 424086 3b528b 33638d 2c728e 26828e 21918c"
    " 1fa088 28ae80 3fbc73 5ec962 84d44b addc30 d8e219 fde725"
)

# The palette: a map of magnitudes, then ramps of 16 from one colour to another for smooth edges.
MAP_LEVELS: Final = 128
RAMP: Final = 16


class Theme(StrEnum):
    """On what ground a picture stands."""

    DARK = "dark"
    LIGHT = "light"


class Ink(StrEnum):
    """A ramp from what lies beneath to a colour, by what it is for."""

    TEXT = "text"
    MUTED = "muted"
    GRID = "grid"
    SHAPE = "shape"  # of the waveform's peaks, or of the momentary loudness
    CORE = "core"  # on the shape: RMS, or short-term loudness
    MARK = "mark"  # beats, the tempo, the integrated loudness


@dataclass(frozen=True, kw_only=True)
class Colours:
    """Colours as RRGGBB; maps go from nothing to the most."""

    ground: str
    text: str
    muted: str
    grid: str
    shape: str
    core: str
    mark: str
    magnitudes: tuple[str, ...]
    classes: tuple[str, ...]
    line: str  # on maps


DARK: Final = Colours(
    ground="11151a",
    text="e8ebef",
    muted="98a2ae",
    grid="2a323b",
    shape="2f6c9c",
    core="8fd0fa",
    mark="f0a830",
    magnitudes=tuple(MAGMA.split()),
    classes=tuple(VIRIDIS.split()),
    line="ffffff",
)
LIGHT: Final = Colours(
    ground="ffffff",
    text="1b2530",
    muted="5b6875",
    grid="dfe4ea",
    shape="9cc9ec",
    core="0f639f",
    mark="c24e00",
    magnitudes=("ffffff", *MAGMA.split()[14::-1]),
    classes=("ffffff", *MAGMA.split()[14::-1]),
    line="000000",
)
COLOURS: Final = {Theme.DARK: DARK, Theme.LIGHT: LIGHT}
_PLACES: Final = {ink: MAP_LEVELS + RAMP * at for at, ink in enumerate(Ink)}
LINE: Final = MAP_LEVELS + RAMP * len(Ink)
GROUND: Final = _PLACES[Ink.TEXT]


def place(ink: Ink) -> int:
    """The first of an ink's 16 entries, which is what lies beneath."""
    return _PLACES[ink]


@cache
def palette(theme: Theme, *, classes: bool) -> bytes:
    """The palette's 256 colours, three bytes each; with the map of classes or that of magnitudes."""
    colours = COLOURS[theme]
    entries = np.zeros((256, 3))
    entries[:MAP_LEVELS] = _between(colours.classes if classes else colours.magnitudes, MAP_LEVELS)
    beneath = {Ink.CORE: colours.shape}
    for ink in Ink:
        ends = (beneath.get(ink, colours.ground), getattr(colours, ink.value))
        entries[_PLACES[ink] : _PLACES[ink] + RAMP] = _between(ends, RAMP)
    entries[LINE] = _rgb(colours.line)
    return np.rint(entries).astype(np.uint8).tobytes()


def _between(colours: tuple[str, ...], count: int) -> NDArray[np.float64]:
    anchors = np.array([_rgb(colour) for colour in colours])
    at = np.linspace(0.0, 1.0, count)
    steps = np.linspace(0.0, 1.0, anchors.shape[0])
    return np.stack([np.interp(at, steps, anchors[:, part]) for part in range(3)], axis=1)


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[:2], 16), int(colour[2:4], 16), int(colour[4:], 16)
