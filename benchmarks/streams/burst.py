"""Streams opened all at once, each on a job of its own or all on one, and what one takes of the server's memory."""

import time
from collections.abc import Sequence

import click

from benchmarks.engine.report import Section, at_most
from benchmarks.streams.served import Served
from benchmarks.streams.watching import watching
from harken.v1.job_service_pb2 import StreamProgressRequest

MEMORY_TARGET_KB = 30.0
WARM_UP = 100  # streams that are opened before, for what is made once
LARGEST_BATCH = 10_000


def measure(served: Served, *, streams: int) -> Section:
    """Both bursts."""
    batch_id, jobs = served.submit_batch(min(streams, LARGEST_BATCH))
    served.move_batch(batch_id, "QUEUED", "RUNNING")
    one = [jobs[0]] * WARM_UP
    with watching(served.address, _requests(one)) as watched:
        watched.until_opened(WARM_UP)
    own, one = (_burst(served, targets) for targets in (jobs, [jobs[0]] * streams))
    rows = [_row("each on a job of its own", *own), _row("all on one job", *one)]
    return Section(
        part="burst",
        title=f"{streams:,} streams opened at once",
        columns=("", "failures", "kB each", "s until all have a message", "s of CPU"),
        rows=tuple(rows),
        targets=(
            at_most("failures", own[0] + one[0], 0, ""),
            at_most("memory of each", own[1], MEMORY_TARGET_KB, "kB"),
        ),
        notes=("memory is counted in the first burst: in the second the server has it already",),
    )


def _burst(served: Served, targets: Sequence[str]) -> tuple[int, float, float, float]:
    """Failures, kB each, seconds, the server's seconds of CPU."""
    memory, cpu_s, begun = served.memory_bytes(), served.cpu_s(), time.monotonic()
    with watching(served.address, _requests(targets)) as watched:
        count = watched.until_opened(len(targets))
        taken_kb = (served.memory_bytes() - memory) / len(targets) / 1000
        used_s = served.cpu_s() - cpu_s
    if count.failed:
        click.echo(f"the first failure was {count.first_failure}", err=True)
    while served.subscriptions():
        time.sleep(0.05)
    return count.failed, taken_kb, count.at - begun, used_s


def _requests(targets: Sequence[str]) -> list[StreamProgressRequest]:
    return [StreamProgressRequest(job_id=job_id) for job_id in targets]


def _row(name: str, failures: int, kb: float, wall_s: float, used_s: float) -> tuple[str, ...]:
    return (name, str(failures), f"{kb:.1f}", f"{wall_s:.1f}", f"{used_s:.1f}")
