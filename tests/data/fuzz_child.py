"""One process of a fuzzing campaign: `python -W error -m tests.data.fuzz_child FIRST COUNT FOLDER`.

Writes to file descriptor 3 a line `seed ?` before each file and `seed` with what is wrong with it
as a JSON list after it, so that whoever reads knows which seed a crash belongs to.
"""

import contextlib
import faulthandler
import json
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from harken.audio import Feature, InputError, analyze, warm_up
from tests.data.mutations import Source, fuzzed, sources
from tests.data.sanity import insanities

CPU_S: Final = 20  # for one file, beyond which it counts as a hang
SLOW_S: Final = 3.0  # CPU time that is worth a report, and so much more for each second of sound
SLOW_SHARE: Final = 0.03
LONG_S: Final = 3600.0  # of sound, beyond which a file is only decoded: a few bytes may be days
WALL_S: Final = 120  # the same where it waits rather than works, on a busy machine
MEMORY: Final = 500 << 20  # bytes of the whole process
ADDRESSES: Final = 6 << 30  # bytes it may ask for, so that a leak cannot take the machine with it


def faults(path: Path) -> list[str]:
    """What is wrong with how the engine takes a file, in words."""
    _reset_peak()
    began, duration = time.process_time(), 0.0
    try:
        found = list[str]()
        media = analyze(path, [Feature.MEDIA]).media
        duration = (media and media.duration_s) or 0.0
        if duration < LONG_S:
            found = insanities(analyze(path))
    except (InputError, OSError):
        found = []
    except Exception as error:
        found = [traceback.format_exc()[-2000:], f"{type(error).__name__}: {error}"]
    if (took := time.process_time() - began) > SLOW_S + SLOW_SHARE * duration:
        found.append(f"{took:.1f} s for {path.stat().st_size} bytes, {duration:.0f} s of sound")
    if (peak := _peak()) > MEMORY:
        found.append(f"{peak >> 20} MB of memory")
    return found


def run(first: int, count: int, files: Sequence[Source], report: int) -> None:
    """All seeds from `first` on; standard output and error are watched."""
    with tempfile.TemporaryDirectory(prefix="harken-fuzz-") as folder:
        console = os.open(Path(folder, "console"), os.O_CREAT | os.O_RDWR | os.O_APPEND)
        os.dup2(console, 1)
        os.dup2(console, 2)
        faulthandler.enable(os.fdopen(os.dup(report), "w"))
        for seed in range(first, first + count):
            os.write(report, f"{seed} ?\n".encode())
            extension, data = fuzzed(seed, files)
            path = Path(folder, f"{seed}{extension}")
            path.write_bytes(data)
            signal.setitimer(signal.ITIMER_PROF, CPU_S)
            signal.alarm(WALL_S)
            found = faults(path)
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.alarm(0)
            if said := os.pread(console, 1000, 0):
                os.ftruncate(console, 0)
                found.append(f"said {said.decode(errors='replace')}")
            path.unlink()
            os.write(report, f"{seed} {json.dumps(found)}\n".encode())


def _reset_peak() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0
    return next(int(line.split()[1]) << 10 for line in status.splitlines() if "VmHWM" in line)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    folder = Path(sys.argv[3]) if len(sys.argv) > 3 else None
    found_here = sources(folder)
    warm_up()
    run(int(sys.argv[1]), int(sys.argv[2]), found_here, 3)
