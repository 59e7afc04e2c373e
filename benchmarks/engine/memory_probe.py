"""A process whose memory is looked at: `python -m benchmarks.engine.memory_probe peak|child FILE…`.

`peak` prints the most MiB that a new process held while it analysed the file. Linux counts what
getrusage tells from the process that started this one on; VmHWM belongs to this program alone.
`child` prints the most MiB that a forked child of a warm process held for itself after any of the
files: pages it shares with its parent are not its own.
"""

import gc
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc/self")
KIB: Final = 1 / 1024  # MiB


def peak(path: str) -> float:
    """The most MiB resident in this process up to the result for `path`."""
    from harken.audio import analyze

    analyze(path)
    return mebibytes(PROC / "status", "VmHWM")


def child(paths: Sequence[str]) -> float:
    """The most MiB that a child made as a worker makes it does not share."""
    from harken.audio import analyze, warm_up

    warm_up()
    gc.collect()
    gc.freeze()
    reading, writing = os.pipe()
    if os.fork() == 0:
        own: list[float] = []
        for path in paths:
            analyze(path)
            own.append(mebibytes(PROC / "smaps_rollup", "Private_Clean", "Private_Dirty"))
        os.write(writing, str(max(own)).encode())
        os._exit(0)
    os.close(writing)
    os.wait()
    with os.fdopen(reading) as answer:
        return float(answer.read())


def mebibytes(file: Path, *names: str) -> float:
    """The sum of some of the lines of a file of /proc."""
    lines = dict(re.findall(r"^(\w+):\s+(\d+) kB$", file.read_text(), re.MULTILINE))
    return sum(int(lines[name]) for name in names) * KIB


if __name__ == "__main__":
    print(peak(sys.argv[2]) if sys.argv[1] == "peak" else child(sys.argv[2:]))
