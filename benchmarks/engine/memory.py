"""Memory: a worker child's own, and the peak over ten hours of music beside that over ten minutes."""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.engine.contender import REPOSITORY
from benchmarks.engine.material import LONG_BYTES, Music
from benchmarks.engine.memory_probe import PROC
from benchmarks.engine.report import Section, Target, at_most

CHILD_MIB: Final = 40.0
PEAK_MIB: Final = 300.0
GROWTH: Final = 1.10  # ten hours beside ten minutes
SHORT_S: Final = 600
LONG_S: Final = 36_000


def measure(music: Music, files: Sequence[Path], *, hours: bool) -> Section:
    """A child's own memory after `files`; with `hours` also the peaks of two lengths of music."""
    if not PROC.exists():
        return _section((), (), ("not measured: the figures come from Linux' /proc",))
    child = _mebibytes("child", *files)
    rows = [("a worker child's own", f"{child:.1f}")]
    targets = [at_most("a worker child's own", child, CHILD_MIB, "MiB")]
    notes = ["a child's own: after warm-up, gc.freeze and fork, the most after any of the files"]
    short = long = None
    if not hours:
        notes.append("ten hours: not measured, --memory measures it")
    elif not music.room_for_hours():
        notes.append(f"ten hours: not measured, {music.folder} needs {LONG_BYTES >> 30} GiB free")
    else:
        began = time.perf_counter()
        short, long = (_peak(music, seconds) for seconds in (SHORT_S, LONG_S))
        rows += [("peak, 10 minutes", f"{short:.1f}"), ("peak, 10 hours", f"{long:.1f}")]
        notes.append(f"peaks: FLAC, a new process each; took {time.perf_counter() - began:.0f} s")
    growth = long / short if short and long else None
    targets += [
        at_most("peak, 10 hours", long, PEAK_MIB, "MiB"),
        at_most("peak, 10 hours ÷ 10 minutes", growth, GROWTH),
    ]
    return _section(tuple(rows), tuple(targets), tuple(notes))


def _section(
    rows: tuple[tuple[str, ...], ...], targets: tuple[Target, ...], notes: tuple[str, ...]
) -> Section:
    return Section(
        part="memory",
        title="what a process holds",
        columns=("", "MiB"),
        rows=rows,
        targets=targets,
        notes=notes,
    )


def _peak(music: Music, seconds: int) -> float:
    path = music.repeated("flac", seconds)
    try:
        return _mebibytes("peak", path)
    finally:
        path.unlink()


def _mebibytes(what: str, *paths: Path) -> float:
    command = [sys.executable, "-m", "benchmarks.engine.memory_probe", what, *map(str, paths)]
    probe = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return float(probe.stdout)
