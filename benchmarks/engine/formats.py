"""All features of one piece as WAV, FLAC and MP3, and how near to the limit that is."""

import statistics
from typing import Final

from benchmarks.engine.contender import PEERS
from benchmarks.engine.material import FORMATS, Music
from benchmarks.engine.measuring import TURN_S, Field, interleaved, ratio
from benchmarks.engine.report import Section, Target, at_least, at_most

# How many times harken's CPU time each of these takes, at least.
FASTER_THAN: Final = (
    ("librosa, typical", "wav", 24.0),
    ("librosa, typical", "flac", 14.0),
    ("librosa, typical", "mp3", 12.0),
    ("Essentia MusicExtractor", "wav", 30.0),
    ("Essentia MusicExtractor", "mp3", 17.0),
)
# How many times the limit harken takes, at most.
NEAR_THE_LIMIT: Final = (("wav", 3.0), ("mp3", 1.6))
LIMITS: Final = ("limit, soundfile", "limit, PyAV")

Spent = dict[str, dict[str, list[float]]]  # by format, by contender


def measure(music: Music, *, rounds: int, alone: bool) -> Section:
    """Everybody on the three files, in turns."""
    spent: Spent = {}
    with Field(("harken", *LIMITS, *PEERS), alone=alone) as field:
        for extension in FORMATS:
            entrants = {
                name: contender
                for name, contender in field.present.items()
                # PyAV reads WAV and FLAC too, but nobody would choose it for them.
                if extension == "mp3" or name != "limit, PyAV"
            }
            spent[extension] = interleaved(entrants, music.file(extension), rounds)
    names = (*field.present, *field.absent)
    return Section(
        part="formats",
        title=f"all features of {music.duration_s:.0f} s, stereo, 44.1 kHz: CPU seconds, and ÷ harken",
        columns=("", *FORMATS, *(f"{extension} ÷" for extension in FORMATS)),
        rows=tuple(_row(name, spent) for name in names),
        targets=_targets(spent),
        notes=(
            f"medians, warm; rounds: {rounds}, in which each has turns of at least {TURN_S:g} CPU s",
            *(f"{name}: {why}" for name, why in field.absent.items()),
        ),
    )


def _row(name: str, spent: Spent) -> tuple[str, ...]:
    runs = [spent[extension].get(name) for extension in FORMATS]
    seconds = [f"{statistics.median(run):.3f}" if run else "–" for run in runs]
    times = [
        f"{ratio(run, spent[extension]['harken']):.2f}" if run else "–"
        for extension, run in zip(FORMATS, runs, strict=True)
    ]
    return (name, *seconds, *times)


def _targets(spent: Spent) -> tuple[Target, ...]:
    found: list[Target] = []
    for name, extension, bound in FASTER_THAN:
        run = spent[extension].get(name)
        value = ratio(run, spent[extension]["harken"]) if run else None
        found.append(at_least(f"{name} ÷ harken, {extension}", value, bound))
    for extension, bound in NEAR_THE_LIMIT:
        runs = [spent[extension][name] for name in LIMITS if name in spent[extension]]
        value = ratio(spent[extension]["harken"], min(runs, key=statistics.median))
        found.append(at_most(f"harken ÷ limit, {extension}", value, bound))
    return tuple(found)
