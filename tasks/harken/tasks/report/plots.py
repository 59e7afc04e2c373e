"""What is drawn of each number: its words, and how its values are written."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from harken.tasks.report.words import length, signed, thousands

Write = Callable[[float], str]


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A histogram of the page. `on_axis` writes the bounds of bins, `in_text` other values with their unit."""

    name: str
    title: str
    meaning: str
    on_axis: Write
    in_text: Write
    axis: str
    # Bins from this value on are marked, as beyond what is sound.
    marked_from: float | None = None


def _plain(unit: str, decimals: int) -> Write:
    return lambda value: f"{signed(value, decimals)} {unit}"


def _whole(value: float) -> str:
    return signed(value, 0)


# Of the sound; those of the files stand apart.
PLOTS: Final = (
    Plot(
        name="tempo",
        title="Tempo",
        meaning="Beats per minute of the strongest pulse.",
        on_axis=_whole,
        in_text=_plain("bpm", 1),
        axis="beats per minute",
    ),
    Plot(
        name="loudness",
        title="Loudness",
        meaning="Integrated loudness of the whole recording, by EBU R128.",
        on_axis=_whole,
        in_text=_plain("LUFS", 1),
        axis="LUFS",
    ),
    Plot(
        name="true_peak",
        title="True peak",
        meaning="The highest level between samples. Above 0 dBTP converters and codecs clip.",
        on_axis=_whole,
        in_text=_plain("dBTP", 1),
        axis="dBTP",
        marked_from=0.0,
    ),
    Plot(
        name="loudness_range",
        title="Loudness range",
        meaning="How far soft and loud passages are apart, by EBU R128.",
        on_axis=_whole,
        in_text=_plain("LU", 1),
        axis="LU",
    ),
    Plot(
        name="duration",
        title="Duration",
        meaning="Length of the recordings.",
        on_axis=length,
        in_text=length,
        axis="seconds, minutes:seconds, hours",
    ),
    Plot(
        name="brightness",
        title="Brightness",
        meaning="Centre of gravity of the spectrum, in thirds of an octave.",
        on_axis=thousands,
        in_text=_plain("Hz", 0),
        axis="Hz",
    ),
    Plot(
        name="onset_rate",
        title="Density",
        meaning="Notes and hits that begin in a second.",
        on_axis=lambda value: f"{value:g}",
        in_text=_plain("a second", 1),
        axis="onsets a second",
    ),
)
BIT_RATE: Final = Plot(
    name="bit_rate",
    title="Bit rate",
    meaning="Bits a second of the files' sound.",
    on_axis=lambda value: _whole(value / 1000),
    in_text=lambda value: f"{signed(value / 1000, 0)} kbit/s",
    axis="kbit/s",
)
