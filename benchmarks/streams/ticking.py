"""A worker's progress, from a process of its own: `update_state` as its tasks do it, at a steady pace.

`python -m benchmarks.streams.ticking URL JOB_ID PER_SECOND COUNT`; each tick's message is when it was reported, in
nanoseconds of the machine's monotonic clock.
"""

import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager

from harken.settings import Settings
from harken.tasks.app import make_app


@contextmanager
def ticking(url: str, job_id: str, *, per_second: float, count: int) -> Generator[None]:
    """Reports progress in the background for the block, or until `count` were reported."""
    arguments = [url, job_id, str(per_second), str(count)]
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.streams.ticking", *arguments])
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


def main(url: str, job_id: str, per_second: float, count: int) -> None:
    """Reports progress."""
    backend = make_app(Settings(broker_url=url, result_backend=url)).backend
    begun = time.monotonic()
    for seq in range(1, count + 1):
        time.sleep(max(begun + seq / per_second - time.monotonic(), 0))
        meta = {
            "attempt": 1,
            "seq": seq,
            "stage": "decode",
            "fraction": seq / count,
            "message": str(time.monotonic_ns()),
        }
        backend.store_result(job_id, meta, "PROGRESS")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4]))
