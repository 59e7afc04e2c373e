"""Damaged and absurd files by the thousand: `python benchmarks/fuzz.py --seconds 600 --seed 0`.

Each batch of seeds runs in a process of its own, so that a crash or a hang is one more finding.
Prints every file that breaks the engine, with the line that makes it again. What counts as broken:
any exception but InputError and OSError, a crash, 20 s of CPU time, 500 MB, a warning, anything on
the console, NaN, values that cannot be. `--keep SEED FILE` writes the file of a seed.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from tests.data.mutations import fuzzed, sources  # noqa: E402 - of the repository, not installed

BATCH: Final = 500  # files a process: what grows from file to file shows, what crashes costs little
RECORDINGS: Final = Path(os.environ.get("HARKEN_SAMPLES") or REPOSITORY.parent / "shared" / "audio")


def main() -> None:
    """Run the campaign, or write one file."""
    options = _options()
    folder: Path | None = options.recordings if options.recordings.is_dir() else None
    if options.keep:
        seed, name = options.keep
        extension, data = fuzzed(int(seed), sources(folder))
        Path(name).write_bytes(data)
        print(f"{name}: {len(data)} bytes, made as {extension}")
        return
    print(f"seeds from {options.seed}; recordings: {folder or 'none'}")
    end = time.monotonic() + options.seconds
    seed, broken = options.seed, 0
    while time.monotonic() < end:
        stop = min(seed + BATCH, options.seed + options.files) if options.files else seed + BATCH
        if stop <= seed:
            break
        seed, found = batch(seed, stop - seed, folder, end)
        broken += found
    print(f"{seed - options.seed} files, {broken} broke something")
    sys.exit(1 if broken else 0)


def batch(first: int, count: int, folder: Path | None, end: float) -> tuple[int, int]:
    """Run seeds in a child; the seed to go on with, and how many of them broke something."""
    read, write = os.pipe()
    arguments = (str(write), str(first), str(count), str(folder or ""))
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-X", "utf8", "-c", CHILD, *arguments],
        pass_fds=[write],
        cwd=REPOSITORY,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    current, broken, trace, done = first, 0, list[str](), first
    with os.fdopen(read, errors="replace") as lines:
        for line in lines:
            number, _, rest = line.rstrip("\n").partition(" ")
            if not number.isdigit():
                trace.append(line)
                continue
            current = int(number)
            if rest == "?":
                continue
            done = current + 1
            for fault in json.loads(rest):
                print(f"seed {current}: {fault}", flush=True)
            broken += bool(json.loads(rest))
            if time.monotonic() > end:
                process.kill()
                process.wait()
                return done, broken
    if code := process.wait():
        print(f"seed {current}: the process ended with {code}\n{''.join(trace[-40:])}", flush=True)
        return current + 1, broken + 1
    return done, broken


CHILD: Final = """
import os, runpy, sys
os.dup2(int(sys.argv[1]), 3)
sys.path.insert(0, os.getcwd())
sys.argv = ["fuzz_child", *filter(None, sys.argv[2:])]
runpy.run_module("tests.data.fuzz_child", run_name="__main__")
"""


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=600.0, help="how long to go on")
    parser.add_argument("--seed", type=int, default=0, help="the first file")
    parser.add_argument(
        "--files", type=int, default=0, help="how many; 0 for as many as there is time for"
    )
    parser.add_argument(
        "--recordings", type=Path, default=RECORDINGS, help="read in place and damaged"
    )
    parser.add_argument(
        "--keep", nargs=2, metavar=("SEED", "FILE"), help="write the file of a seed"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
