"""Half-second sounds by the thousand: what a file costs that hardly has anything in it."""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.engine.measuring import Field, ratio
from benchmarks.engine.report import Section, at_least, at_most

PEER: Final = "librosa, typical"
MILLISECONDS_EACH: Final = 5.0
FASTER: Final = 18.0
WARM: Final = 3  # a drum, a pluck and a noise


def measure(paths: Sequence[Path], *, sampled: int, alone: bool) -> Section:
    """All of `paths` by harken, `sampled` of them by librosa, each in turn with harken."""
    ours: list[float] = []
    ours_sampled: list[float] = []
    theirs: list[float] = []
    every = len(paths) // sampled
    with Field(("harken", PEER), alone=alone) as field:
        for contender in field.present.values():
            for path in paths[:WARM]:
                contender.cpu_s(path)
        for number, path in enumerate(paths):
            ours.append(field.present["harken"].cpu_s(path))
            if number % every == 0:
                ours_sampled.append(ours[-1])
                if PEER in field.present:
                    theirs.append(field.present[PEER].cpu_s(path))
    rows = [_row("harken", ours)]
    if theirs:
        rows += [_row("harken, the sampled", ours_sampled), _row(PEER, theirs)]
    return Section(
        part="one-shots",
        title=f"{len(paths)} files of 0.5 s, mono and stereo, 16-bit WAV: CPU milliseconds a file",
        columns=("", "files", "mean", "median", "95th percentile"),
        rows=tuple(rows),
        targets=(
            at_most("harken, mean of all", 1000 * statistics.fmean(ours), MILLISECONDS_EACH, "ms"),
            at_least(
                f"{PEER} ÷ harken, medians", ratio(theirs, ours_sampled) if theirs else None, FASTER
            ),
        ),
        notes=tuple(f"{name}: {why}" for name, why in field.absent.items()),
    )


def _row(name: str, seconds: Sequence[float]) -> tuple[str, ...]:
    ranked = sorted(seconds)
    figures = (
        statistics.fmean(ranked),
        statistics.median(ranked),
        ranked[min(len(ranked) - 1, round(0.95 * len(ranked)))],
    )
    return (name, str(len(ranked)), *(f"{1000 * figure:.2f}" for figure in figures))
