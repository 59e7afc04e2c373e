"""How long things take to start: `python benchmarks/start.py`.

1. A fresh process up to its first analysis: the engine, and librosa as a typical project calls it, in turn.
2. `harken up` until it says that it is ready.
3. From a submit to the result of a short file, with a warm worker.

Prints medians, and ratios of what was measured side by side. Bounded: about two minutes.
"""

import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.engine.machine import described
from demo.piece import compose, write
from harken.client import Client

ROUNDS = 5
JOBS = 40
READY = re.compile(r"harken is ready on (\S+)")

HARKEN_UP = [sys.executable, "-m", "harken.client.cli", "up", "--listen", "127.0.0.1:0"]
ENGINE = "import sys; from harken.audio import analyze; analyze(sys.argv[1])"
LIBROSA = """
import sys, librosa
y, sr = librosa.load(sys.argv[1], sr=22050)
librosa.beat.beat_track(y=y, sr=sr)
librosa.feature.chroma_cqt(y=y, sr=sr)
librosa.feature.mfcc(y=y, sr=sr)
librosa.feature.spectral_centroid(y=y, sr=sr)
librosa.onset.onset_detect(y=y, sr=sr)
"""


def main() -> None:
    """Run all three."""
    print(described())
    with tempfile.TemporaryDirectory(prefix="harken-bench-") as folder:
        path = Path(folder, "piece.flac")
        write(path, compose(duration_s=10))
        fresh_processes(path)
        up_and_jobs(Path(folder), path)


def fresh_processes(path: Path) -> None:
    """CPU seconds and peak memory of a new process that analyses ten seconds of music."""
    programs = {"harken.audio, all features": ENGINE, "librosa, six features": LIBROSA}
    cpu: dict[str, list[float]] = {name: [] for name in programs}
    peak: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(ROUNDS + 1):  # the first round fills the caches of the file system
        for name, program in programs.items():
            seconds, mebibytes = run_once([sys.executable, "-c", program, str(path)])
            cpu[name].append(seconds)
            peak[name].append(mebibytes)
    print("\nfresh process to its first analysis of 10 s of music (medians)")
    for name in programs:
        seconds, mebibytes = statistics.median(cpu[name][1:]), statistics.median(peak[name][1:])
        print(f"  {name:28}{seconds:6.2f} s CPU{mebibytes:7.0f} MiB peak")
    harken, librosa = (statistics.median(cpu[name][1:]) for name in programs)
    print(f"  {'librosa ÷ harken':28}{librosa / harken:6.2f}")


def run_once(command: list[str]) -> tuple[float, float]:
    """CPU seconds and peak MiB of a command, by the operating system's account."""
    program = (
        "import resource, subprocess, sys;"
        "subprocess.run(sys.argv[1:], check=True, stderr=subprocess.DEVNULL);"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN);"
        "print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program, *command], capture_output=True, text=True, check=True
    ).stdout
    seconds, mebibytes = shown.split()
    return float(seconds), float(mebibytes)


def up_and_jobs(folder: Path, path: Path) -> None:
    """Seconds until `harken up` is ready and until it has stopped; milliseconds a short job takes."""
    ready: list[float] = []
    stopped: list[float] = []
    jobs: list[float] = []
    for _ in range(ROUNDS):
        began = time.monotonic()
        up = subprocess.Popen(
            [*HARKEN_UP, "--data-dir", str(folder / "data"), "--media-root", str(folder)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert up.stdout is not None
        address = next(found[1] for line in up.stdout if (found := READY.search(line)))
        ready.append(time.monotonic() - began)
        if not jobs:
            jobs = time_jobs(address, path)
        began = time.monotonic()
        up.send_signal(signal.SIGINT)
        up.stdout.close()
        up.wait(60)
        stopped.append(time.monotonic() - began)
    print(f"\nharken up, {ROUNDS} times")
    print(f"  ready after    median {statistics.median(ready):.2f} s, at most {max(ready):.2f} s")
    print(
        f"  stopped after  median {statistics.median(stopped):.2f} s, at most {max(stopped):.2f} s"
    )
    print(f"\nsubmit to result, {JOBS} jobs one after the other, media of 10 s of music")
    print(f"  median {statistics.median(jobs):.0f} ms, at most {max(jobs):.0f} ms")


def time_jobs(address: str, path: Path) -> list[float]:
    """Milliseconds from submit to result, after a few jobs that warm all children."""
    times: list[float] = []
    with Client(address) as client:
        for number in range(JOBS + 8):
            began = time.monotonic()
            client.submit(path, features=["media"], skip_cache=True, upload="never").result()
            if number >= 8:
                times.append((time.monotonic() - began) * 1000)
    return times


if __name__ == "__main__":
    main()
