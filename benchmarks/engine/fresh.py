"""A new process up to its first result: what every command and every new child pays."""

import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from benchmarks.engine.report import Section, at_most

PROGRAM: Final = "import sys; from harken.audio import analyze; analyze(sys.argv[1])"
# `pip install 'harken[audio]'` brings none of these; where something else has brought them, numba imports
# them, for linear algebra, C functions and its settings, which the engine does not use. None hides them.
NOT_BROUGHT: Final = ("scipy", "cffi", "yaml")
AS_INSTALLED: Final = f"import sys; sys.modules.update(dict.fromkeys({NOT_BROUGHT})); {PROGRAM}"
SECONDS: Final = 1.0
NO_BYTECODE: Final = "PYTHONDONTWRITEBYTECODE"


def measure(path: Path, *, rounds: int) -> Section:
    """Wall and CPU time of `rounds` new processes, after one that fills the caches of kernels and bytecode."""
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
            _row("wall, with SciPy", walls_beside),
            _row("CPU, with SciPy", cpus_beside),
        ),
        targets=(
            at_most("wall, median", statistics.median(walls), SECONDS, "s"),
            at_most("CPU, median", statistics.median(cpus), SECONDS, "s"),
        ),
        notes=(
            f"one process after the other: {rounds}",
            "as `pip install 'harken[audio]'` has it; where SciPy, cffi and PyYAML are installed, numba imports them",
            "wall time counts what other programs do on this core as well",
        ),
    )


def _row(name: str, seconds: tuple[float, ...]) -> tuple[str, ...]:
    figures = (statistics.median(seconds), min(seconds), max(seconds))
    return (name, *(f"{figure:.3f}" for figure in figures))


def _once(program: str, path: Path) -> tuple[float, float]:
    # An installation has its bytecode, whatever the checkout that is measured is told about its own.
    environment = {name: value for name, value in os.environ.items() if name != NO_BYTECODE}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", program, str(path)], env=environment, check=True)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
