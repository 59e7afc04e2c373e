"""What each feature on request adds to the default pass, and the memory that it takes over ten minutes and over hours.

    OPENBLAS_NUM_THREADS=1 python -m benchmarks.features [--hours 2] [--rounds 5]

Of those that are heard in the one pass over the sound; stems have `benchmarks.separation`, films `benchmarks.video`.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import click

from benchmarks.engine.contender import REPOSITORY
from benchmarks.engine.machine import processor
from benchmarks.engine.material import music
from benchmarks.engine.memory_probe import PROC, mebibytes
from harken.audio import Feature, PictureKind, analyze
from harken.audio.engine import run
from harken.audio.features import DEFAULT_FEATURES
from harken.audio.pictures.sketch import Sketcher

SECONDS: Final = 180
SHORT_S: Final = 600
FEATURES: Final = (
    Feature.PITCH,
    Feature.ENVELOPE,
    Feature.ANNOTATIONS,
    Feature.SPEECH,
    Feature.QUALITY,
    Feature.INSIGHTS,
    Feature.PICTURES,
)


@click.command(help=__doc__)
@click.option("--hours", default=2.0, show_default=True, help="0 leaves the memory out.")
@click.option("--rounds", default=5, show_default=True)
@click.option("--probe", nargs=2, hidden=True)
def main(hours: float, rounds: int, probe: tuple[str, str] | None) -> None:
    """Prints a line for each feature."""
    if probe is not None:
        _hear(probe[1], (), Feature(probe[0]))
        print(mebibytes(PROC / "status", "VmHWM"))
        return
    print(processor())
    with tempfile.TemporaryDirectory() as folder:
        piece = music(Path(folder), SECONDS)
        added = _costs(str(piece.file("wav")), rounds)
        held: dict[Feature, list[float]] = {feature: [] for feature in FEATURES}
        for length in (SHORT_S, round(hours * 3600)) if hours else ():
            path = piece.repeated("flac", length)
            for feature in FEATURES:
                held[feature].append(_most_held(feature, path))
            path.unlink()
    print(f"{SECONDS} s of music; CPU time beside the default pass, medians of {rounds}")
    memory = f"   MiB, 10 minutes   {hours:g} hours   ratio, each alone" if hours else ""
    print(f"              added{memory}")
    for feature in FEATURES:
        line = f"{feature.value:12} {added[feature]:+6.0%}"
        if hours:
            short, long = held[feature]
            line += f"   {short:15.0f}   {long:7.0f}   {long / short:5.2f}"
        print(line)


def _costs(path: str, rounds: int) -> dict[Feature, float]:
    spent: dict[Feature | None, list[float]] = {what: [] for what in (None, *FEATURES)}
    for number in range(rounds + 1):  # the first is not counted
        for feature, times in spent.items():
            begun = time.process_time()
            _hear(path, DEFAULT_FEATURES, feature)
            times += [time.process_time() - begun] if number else []
    default = statistics.median(spent[None])
    return {feature: statistics.median(spent[feature]) / default - 1 for feature in FEATURES}


def _hear(path: str, beside: tuple[Feature, ...], feature: Feature | None) -> None:
    if feature is Feature.PICTURES:  # drawn by a step of the job; the pass has the sketches alone
        run(path, beside, None, listeners={feature: Sketcher(tuple(PictureKind))})
    else:
        analyze(path, (*beside, *([feature] if feature else ())))


def _most_held(feature: Feature, path: Path) -> float:
    """The most MiB of a new process."""
    command = [sys.executable, "-m", "benchmarks.features", "--probe", feature.value, str(path)]
    probe = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return float(probe.stdout)


if __name__ == "__main__":
    main()
