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
# `pip install 'harken[audio]'` brings no SciPy; where the peers have brought it, numba imports it for
# its linear algebra, which the engine does not use. None hides it from imports.
AS_INSTALLED: Final = f"import sys; sys.modules['scipy'] = None; {PROGRAM}"
SECONDS: Final = 1.0


def measure(path: Path, *, rounds: int) -> Section:
    """Wall and CPU time of `rounds` new processes, after one that fills the kernels' cache."""
    alone = [_once(AS_INSTALLED, path) for _ in range(rounds + 1)][1:]
    beside = [_once(PROGRAM, path) for _ in range(rounds)]
    walls, cpus = zip(*alone, strict=True)
    walls_beside, cpus_beside = zip(*beside, strict=True)
    return Section(
        part="fresh",
        title="a new process up to its first result, 3 s of music, the kernels cached: seconds",
        columns=("", "median", "least", "most"),
        rows=(
            _row("wall", walls),
            _row("CPU", cpus),
            _row("wall, SciPy installed", walls_beside),
            _row("CPU, SciPy installed", cpus_beside),
        ),
        targets=(
            at_most("wall, median", statistics.median(walls), SECONDS, "s"),
            at_most("CPU, median", statistics.median(cpus), SECONDS, "s"),
        ),
        notes=(
            f"one process after the other: {rounds}",
            "as `pip install 'harken[audio]'` has it; where SciPy is installed, numba imports it",
            "wall time counts what other programs do on this core as well",
        ),
    )


def _row(name: str, seconds: tuple[float, ...]) -> tuple[str, ...]:
    figures = (statistics.median(seconds), min(seconds), max(seconds))
    return (name, *(f"{figure:.3f}" for figure in figures))


def _once(program: str, path: Path) -> tuple[float, float]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", program, str(path)], check=True)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
