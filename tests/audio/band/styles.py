"""What the band can play: patterns of a bar each, and the tempi that each style is written in.

A bar is a string of equal steps: X loud, x usual, o soft, . nothing. Several strings are choices.
"""

from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Style:
    """A way to play, as it is notated."""

    bpm: tuple[int, int]
    beats: int = 4  # a bar
    drums: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    bass: tuple[str, ...] = ()
    chords: tuple[str, ...] = ()
    arpeggio: tuple[str, ...] = ()
    lead: bool = True
    pad: float = 0.3  # probability
    swing: tuple[float, float] = (0.0, 0.0)  # delay of odd sixteenths, in sixteenths


STYLES: Final[dict[str, Style]] = {
    "house": Style(
        bpm=(116, 132),
        drums={
            "kick": ("X...X...X...X...", "X...X...X...X..o"),
            "snare": ("....X.......X...", "....x.......x..o", "................"),
            "hat": ("x.x.x.x.x.x.x.x.", "xoxoxoxoxoxoxoxo", "................"),
            "open": ("..X...X...X...X.", "..x...x...x...x."),
        },
        bass=("..x...x...x...x.", "x..x..x.x..x..x.", "x.xx..x.x.xx..x.", "..xx..xx..xx..xx"),
        chords=("x..x..x...x..x..", "..x...x...x...x.", "X...............", "...x..x....x..x."),
        arpeggio=("xxxxxxxxxxxxxxxx", "x.xx.xx.x.xx.xx."),
        swing=(0.0, 0.2),
    ),
    "techno": Style(
        bpm=(124, 150),
        drums={
            "kick": ("X...X...X...X...",),
            "snare": ("................", "....x.......x..."),
            "hat": ("..x...x...x...x.", "xxxxxxxxxxxxxxxx", "xoxoxoxoxoxoxoxo"),
            "rim": ("...x..x....x..x.", "................", "..x..x....x..x.."),
        },
        bass=(".xxx.xxx.xxx.xxx", "..x...x...x...x.", "x..x..x..x..x.x."),
        arpeggio=("xxxxxxxxxxxxxxxx", "x..x..x..x..x..x"),
        lead=False,
    ),
    "disco": Style(
        bpm=(108, 128),
        drums={
            "kick": ("X...X...X...X...",),
            "snare": ("....X.......X...",),
            "open": ("..X...X...X...X.",),
            "hat": ("x...x...x...x...", "xoxoxoxoxoxoxoxo"),
        },
        bass=("x.x.x.x.x.x.x.x.", "x..xx.x.x..xx.x.", "x.Xx.xX.x.Xx.xX."),
        chords=("..x...x...x...x.", "..xx..xx..xx..xx", "x..x..x.x..x..x."),
    ),
    "rock": Style(
        bpm=(92, 150),
        drums={
            "kick": (
                "X.......X.......",
                "X.......X.x.....",
                "X..x....X.......",
                "X.....x.X.......",
            ),
            "snare": ("....X.......X...",),
            "hat": ("x.o.x.o.x.o.x.o.", "x...x...x...x...", "x.x.x.x.x.x.x.x."),
        },
        bass=("x.x.x.x.x.x.x.x.", "x.......x.x.....", "x..x....x..x...."),
        chords=("X...x...X...x...", "x.x.x.x.x.x.x.x.", "X.......x.......", "x...x.x..xx.x.x."),
    ),
    "ballad": Style(
        bpm=(60, 88),
        drums={
            "kick": ("X.......X.......", "X.....x.X.......", "X.......X.x....."),
            "snare": ("....X.......X...", "....x.......x..."),
            "hat": ("x.x.x.x.x.x.x.x.", "xoxoxoxoxoxoxoxo", "x.o.x.o.x.o.x.o."),
        },
        bass=("x.......x.......", "x.....x.x.......", "x...x...x...x..."),
        chords=("X...............", "x.......x.......", "x...x...x...x...", "x.x.x.x.x.x.x.x."),
        arpeggio=("x.x.x.x.x.x.x.x.", "xxxxxxxxxxxxxxxx"),
        pad=0.6,
    ),
    "unaccompanied": Style(
        bpm=(60, 100),
        bass=("x...............", "x.......x......."),
        arpeggio=("x.x.x.x.x.x.x.x.", "xxxxxxxxxxxxxxxx", "x.xxx.xxx.xxx.xx"),
        pad=0.4,
    ),
    "boombap": Style(
        bpm=(78, 102),
        drums={
            "kick": (
                "X.....x.x.......",
                "X..x....x.x.....",
                "X.x....x..X.....",
                "X......x.xx.....",
            ),
            "snare": ("....X.......X...", "....X..o.o..X..."),
            "hat": ("x.x.x.x.x.x.x.x.", "x.xxx.x.x.xxx.x.", "xoxoxoxoxoxoxoxo"),
        },
        bass=("x.....x.x.......", "x..x....x.x.....", "x.........x..x.."),
        chords=("X...............", "x.....x.........", "x..x............", "...x......x....."),
        swing=(0.1, 0.5),
    ),
    "trap": Style(
        bpm=(128, 160),
        drums={
            "kick": (
                "X.............x.",
                "X.....x.........",
                "X.........x.....",
                "X.....x...x.....",
            ),
            "snare": ("........X.......",),
            "hat": ("x.x.x.x.x.x.x.x.", "x.x.x.x.x.xxx.x.", "x.xxx.x.x.x.xxxx"),
        },
        bass=("X...............", "X.....x.........", "X.........x....."),
        chords=("X...............", "x.......x......."),
        arpeggio=("x.x.x.x.x.x.x.x.", "x...x...x...x...", "x..x..x..x..x.x."),
        lead=False,
    ),
    "dnb": Style(
        bpm=(160, 180),
        drums={
            "kick": ("X.........X.....", "X.x.......X.....", "X......x..x....."),
            "snare": ("....X.......X...", "....X..o.o..X...", "....X..x.x..X..x"),
            "hat": ("x.x.x.x.x.x.x.x.", "x...x...x...x...", "x.xxx.xxx.xxx.xx"),
        },
        bass=("X...............", "X.....x...x.....", "x.....x.....x..."),
        chords=("X...............", "......x.......x."),
        pad=0.6,
    ),
    "punk": Style(
        bpm=(156, 195),
        drums={
            "kick": ("X...x...X...x...", "X.......X.x.....", "X.....x.X......."),
            "snare": ("....X.......X...",),
            "hat": ("x...x...x...x...", "x.x.x.x.x.x.x.x."),
        },
        bass=("x.x.x.x.x.x.x.x.",),
        chords=("x.x.x.x.x.x.x.x.", "X...x...X...x..."),
        pad=0.0,
    ),
    "shuffle": Style(
        bpm=(84, 140),
        drums={
            "kick": ("X.....X.....", "X.....X.x...", "X..x..X..x.."),
            "snare": ("...X.....X..",),
            "hat": ("x.xx.xx.xx.x", "x..x..x..x.."),
        },
        bass=("x..x..x..x..", "x.xx.xx.xx.x"),
        chords=("x.xx.xx.xx.x", "X...........", "..x.....x..."),
        pad=0.1,
    ),
    "swing": Style(
        bpm=(110, 190),
        drums={
            "ride": ("X..x.xX..x.x", "x..x.ox..x.o"),
            "hat": ("...x.....x..",),
            "kick": ("............", "x..x..x..x..", "X.......o..."),
            "snare": ("............", "..o........o"),
        },
        bass=("x..x..x..x..",),
        chords=("x....x......", "..x...x.....", "............"),
        pad=0.0,
    ),
    "bossa": Style(
        bpm=(112, 150),
        drums={
            "kick": ("X.....x.X.....x.",),
            "rim": ("x.....x.....x...", "x.....x...x.....", "....x.....x....."),
            "shaker": ("x.x.x.x.x.x.x.x.", "xoxoxoxoxoxoxoxo"),
        },
        bass=("x.....x.x.....x.",),
        chords=("x...x.....x...x.", "x.....x...x.....", "..x...x.....x..."),
    ),
    "funk": Style(
        bpm=(92, 118),
        drums={
            "kick": ("X.x...x...x.....", "X.....x.x..x....", "X..x....x.x....."),
            "snare": ("....X..o.o..X...", "....X.......X..o"),
            "hat": ("xoxoxoxoxoxoxoxo", "x.x.x.x.x.x.x.x."),
        },
        bass=("X.xx..x...x..xx.", "X..x..x.x..x..x.", "x.x....xx.x....."),
        chords=("..x..x....x..x..", "x..x......x..x..", "....x..x....x..x"),
        pad=0.1,
        swing=(0.0, 0.25),
    ),
    "reggaeton": Style(
        bpm=(84, 104),
        drums={
            "kick": ("X...X...X...X...",),
            "snare": ("...x..x....x..x.", "...X..X....X..X."),
            "hat": ("x.x.x.x.x.x.x.x.", "................"),
        },
        bass=("x..x..x.x..x..x.", "x.......x......."),
        chords=("X...............", "...x..x....x..x.", "..x...x...x...x."),
    ),
    "reggae": Style(
        bpm=(66, 88),
        drums={
            "kick": ("........X.......", "X.......X......."),
            "rim": ("........x.......", "....x.......x..."),
            "hat": ("x.x.x.x.x.x.x.x.", "..x...x...x...x."),
        },
        bass=("x..x..x.....x.x.", "x.....x.x..x....", "....x.x.x..x...."),
        chords=("..X...X...X...X.",),
    ),
    "waltz": Style(
        bpm=(84, 176),
        beats=3,
        drums={
            "kick": ("X...........",),
            "snare": ("....x...x...", "............"),
            "hat": ("....x...x...", "x.x.x.x.x.x.", "............"),
        },
        bass=("X...........",),
        chords=("....x...x...", "X..........."),
        arpeggio=("x.x.x.x.x.x.", "x...x...x..."),
    ),
    "percussion": Style(
        bpm=(78, 128),
        drums={
            "low": ("X.....x.X.......", "X..x..x.........", "X.......X..x...."),
            "mid": ("....x.......x.x.", "..x....x..x....x", "....x..xo...x..x"),
            "high": ("..xx..xx..xx..xx", "x..x..x...x.x...", "xoxoxoxoxoxoxoxo"),
            "shaker": ("xoxoxoxoxoxoxoxo", "................"),
        },
        lead=False,
        pad=0.0,
    ),
    "halftime": Style(
        bpm=(134, 146),
        drums={
            "kick": ("X.........x.....", "X.....x.........", "X..x......x....."),
            "snare": ("........X.......",),
            "hat": ("x...x...x...x...", "x.x.x.x.x.x.x.x."),
        },
        bass=("xx.xx.xxx.x.x.x.", "X.......x.x.x.x.", "x.x.x.x.xxx.xxx."),
        chords=("X...............",),
        pad=0.5,
    ),
}

# Slow music with many notes in a beat, which a tempo estimator is tempted to count twice as fast.
SLOW: Final[dict[str, Style]] = {
    "soul": Style(
        bpm=(60, 96),
        drums={
            "kick": ("X.....x..x......", "X..x......x.x...", "X......xx......."),
            "snare": ("....X.......X...", "....X..o.o..X..."),
            "hat": ("xoxoxoxoxoxoxoxo", "x.x.x.x.x.x.x.x.", "x.xxx.x.x.xxx.xx"),
        },
        bass=("x.x.x.x.x.x.x.x.", "x..x..x...x.x...", "x...x.x.x...x.x.", "xx..x.x.x.xxx..."),
        chords=("x.x.x.x.x.x.x.x.", "x..x..x...x.....", "x...x...x...x..."),
        arpeggio=("x.x.x.x.x.x.x.x.", "xxxxxxxxxxxxxxxx", "x..x..x..x..x..x"),
        pad=0.4,
        swing=(0.0, 0.3),
    ),
}
