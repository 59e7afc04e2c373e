"""A new process up to its first result: what every command and every new child pays."""

import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from benchmarks.engine.report import Section, at_most

PROGRAM: Final = "import sys; from harken.audio import analyze; analyze(sys.argv[1])"
SECONDS: Final = 1.0


def measure(path: Path, *, rounds: int) -> Section:
    """Wall and CPU time of `rounds` new processes, after one that fills the kernels' cache."""
    runs = [_once(path) for _ in range(rounds + 1)][1:]
    walls, cpus = zip(*runs, strict=True)
    return Section(
        part="fresh",
        title="a new process up to its first result, 3 s of music, the kernels cached: seconds",
        columns=("", "median", "least", "most"),
        rows=(_row("wall", walls), _row("CPU", cpus)),
        targets=(
            at_most("wall, median", statistics.median(walls), SECONDS, "s"),
            at_most("CPU, median", statistics.median(cpus), SECONDS, "s"),
        ),
        notes=(
            f"one process after the other: {rounds}",
            "wall time counts what other programs do on this core as well",
        ),
    )


def _row(name: str, seconds: tuple[float, ...]) -> tuple[str, ...]:
    figures = (statistics.median(seconds), min(seconds), max(seconds))
    return (name, *(f"{figure:.3f}" for figure in figures))


def _once(path: Path) -> tuple[float, float]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", PROGRAM, str(path)], check=True)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
