"""How many events a second leave one server process: of one job to many watchers, of a large batch to a few."""

import time
from collections.abc import Sequence
from statistics import median

from benchmarks.engine.report import Section, at_least
from benchmarks.streams.served import Served
from benchmarks.streams.ticking import ticking
from benchmarks.streams.watching import Count, watching
from harken.v1.job_service_pb2 import StreamProgressRequest

JOB_TARGET = 10_000.0  # events a second
BATCH_TARGET = 50_000.0
TICKS_PER_S = 60.0  # more than can be sent: what is left over is conflated
SETTLED_S = 0.5


def measure(
    served: Served, *, watchers: int, seconds: float, items: int, batch_watchers: int, rounds: int
) -> Section:
    """Both fan-outs, in turns."""
    job: list[tuple[float, float]] = []
    batch: list[tuple[float, float]] = []
    for _ in range(rounds):
        job.append(of_a_job(served, watchers=watchers, seconds=seconds))
        batch.append(of_a_batch(served, items=items, watchers=batch_watchers))
    rows = [
        _row(f"one job, {watchers:,} watchers", job),
        _row(f"{items:,} items, {batch_watchers} watchers", batch),
    ]
    return Section(
        part="fan-out",
        title="events received in a second, by all watchers together",
        columns=("", "events/s", "µs of CPU an event", "events/s of CPU"),
        rows=tuple(rows),
        targets=(
            at_least("one job, events/s", median(rate for rate, _ in job), JOB_TARGET, ""),
            at_least("a batch, events/s", median(rate for rate, _ in batch), BATCH_TARGET, ""),
        ),
    )


def of_a_job(served: Served, *, watchers: int, seconds: float) -> tuple[float, float]:
    """Ticks of one job, faster than they can be sent; events a second, and the server's CPU seconds for each."""
    job_id = served.submit()
    served.claim(job_id)
    requests = [StreamProgressRequest(job_id=job_id)] * watchers
    with watching(served.address, requests) as watched:
        _no_failure(watched.until_opened(watchers))
        count = int(TICKS_PER_S * (seconds + 60))
        with ticking(served.redis, job_id, per_second=TICKS_PER_S, count=count):
            while watched.count().events < watchers:
                time.sleep(0.05)
            cpu_s, before = served.cpu_s(), watched.count()
            time.sleep(seconds)
            after, used_s = watched.count(), served.cpu_s() - cpu_s
        served.succeed(job_id)
        _no_failure(watched.until_ended(watchers))
    events = after.events - before.events
    return events / (after.at - before.at), used_s / events


def of_a_batch(served: Served, *, items: int, watchers: int) -> tuple[float, float]:
    """All jobs of a batch start, and end; events a second, and the server's CPU seconds for each."""
    batch_id, _ = served.submit_batch(items)
    requests = [StreamProgressRequest(batch_id=batch_id, include_items=True)] * watchers
    with watching(served.address, requests) as watched:
        _no_failure(watched.until_opened(watchers))
        time.sleep(SETTLED_S)
        cpu_s, begun = served.cpu_s(), time.monotonic()
        served.move_batch(batch_id, "QUEUED", "RUNNING")
        served.move_batch(batch_id, "RUNNING", "SUCCEEDED")
        after = _no_failure(watched.until_ended(watchers))
        used_s = served.cpu_s() - cpu_s
    if after.events != 2 * items * watchers:
        raise RuntimeError(f"{after.events:,} events instead of {2 * items * watchers:,}")
    return after.events / (after.at - begun), used_s / after.events


def _no_failure(count: Count) -> Count:
    if count.failed:
        raise RuntimeError(f"{count.failed} streams failed: {count.first_failure}")
    return count


def _row(name: str, found: Sequence[tuple[float, float]]) -> tuple[str, ...]:
    rate, cost_s = (median(one) for one in zip(*found, strict=True))
    return (name, f"{rate:,.0f}", f"{cost_s * 1e6:.1f}", f"{1 / cost_s:,.0f}")
