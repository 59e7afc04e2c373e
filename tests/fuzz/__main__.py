"""Fuzzes a whole server: `python -m tests.fuzz [--cases 100000] [--seed 1]`.

It starts a server on SQLite with a Redis of its own, and no worker. Every call that it has gets random and mutated
messages. A fault, a crash, or memory that grows from the half to the end fails the run.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.conftest import eventually, running_redis
from tests.fuzz.wire import Answers, fuzz

PARTS = 10
MB = 1_000_000
MAY_GROW_MB = 30  # from the half to the end: caches fill, and the allocator keeps what it has
SHOWN = 10


def run(cases: int, seed: int) -> int:
    """Runs it and prints what came back; gives the exit code."""
    with tempfile.TemporaryDirectory() as name, running_redis() as redis:
        folder = Path(name)
        (folder / "media").mkdir()
        (folder / "media" / "piece.flac").write_bytes(b"fLaC")
        socket = f"unix:{folder}/harken.sock"
        environment = {
            **os.environ,
            "HARKEN_DATABASE_URL": f"sqlite:///{folder}/harken.db",
            "HARKEN_BROKER_URL": redis,
            "HARKEN_LISTEN": socket,
            "HARKEN_MEDIA_ROOTS": f"{folder}/media",
            "HARKEN_STORAGE_URL": f"{folder}/storage",
        }
        subprocess.run(
            [sys.executable, "-m", "harken.client.cli", "migrate"], env=environment, check=True
        )
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [sys.executable, "-m", "harken.server"], env=environment, stdout=log, stderr=log
            )
        try:
            eventually(lambda: (folder / "harken.sock").exists() or server.poll() is not None)
            return _judge(server, socket, cases, seed, folder)
        finally:
            server.terminate()
            server.wait(30)


def _judge(
    server: subprocess.Popen[bytes], address: str, cases: int, seed: int, folder: Path
) -> int:
    process = psutil.Process(server.pid)
    answers, memory, begun = Answers(), list[float](), time.monotonic()
    for part in range(PARTS):
        asyncio.run(fuzz(address, seed * PARTS + part, cases // PARTS, answers))
        if server.poll() is not None:
            print(f"the server ended: {server.returncode}\n{(folder / 'log').read_text()[-3000:]}")
            return 1
        memory.append(process.memory_info().rss / MB)
        print(f"{sum(answers.statuses.values()):>9,} cases, {memory[-1]:,.0f} MB", flush=True)
    took = time.monotonic() - begun
    for (method, code), number in sorted(answers.statuses.items()):
        print(f"{method:<50} {code:<20} {number:>8,}")
    print(f"{sum(answers.statuses.values()):,} cases in {took:,.0f} s, seed {seed}")
    for found in answers.faults[:SHOWN]:
        print(f"FAULT {found}")
    grown = memory[-1] - memory[PARTS // 2 - 1]
    connections = len(
        [one for one in process.net_connections("unix") if one.status == "ESTABLISHED"]
    )
    print(
        f"{len(answers.faults)} faults; {grown:,.0f} MB more than at half; {connections} calls open"
    )
    return 1 if answers.faults or grown > MAY_GROW_MB else 0


def main() -> None:
    """Reads the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    sys.exit(run(given.cases, given.seed))


if __name__ == "__main__":
    main()
