"""From `update_state` in a worker to the update in a typed client, beside asking for the job twice a second."""

import asyncio
import time
from collections.abc import Sequence
from itertools import pairwise
from statistics import median, quantiles

from benchmarks.engine.report import Section, at_least, at_most
from benchmarks.streams.served import Served
from benchmarks.streams.ticking import ticking
from harken.client import AsyncClient, JobState, ProgressTick

POLL_EVERY_S = 0.5
TICKS_PER_S = 100.0
SHORT_WARM_UP = 0.1  # share of the updates that are not counted
P50_TARGET_MS = 2.0
P99_TARGET_MS = 8.0
RATIO_TARGET = 100.0


def measure(served: Served, *, ticks: int) -> Section:
    """Both ways, of the same updates."""
    watched, polled = asyncio.run(_both(served, ticks))
    rows = [_row("watched", watched, ticks), _row(f"asked every {POLL_EVERY_S:g} s", polled, ticks)]
    p50, p99 = _p(watched, 50), _p(watched, 99)
    return Section(
        part="latency",
        title=f"from update_state to a typed client, {TICKS_PER_S:g} updates a second, in ms",
        columns=("", "p50", "p99", "seen of all"),
        rows=tuple(rows),
        targets=(
            at_most("watched, p50", p50 * 1e3, P50_TARGET_MS, "ms"),
            at_most("watched, p99", p99 * 1e3, P99_TARGET_MS, "ms"),
            at_least("lag of asking ÷ of watching, p50", _p(polled, 50) / p50, RATIO_TARGET),
        ),
        notes=("what is asked for lags from when it was reported until a newer state is seen",),
    )


async def _both(served: Served, ticks: int) -> tuple[list[float], list[float]]:
    async with AsyncClient(served.address) as client:
        job_id = (await client.submit(served.media)).job_id
        served.claim(job_id)
        polling = asyncio.create_task(_poll(client, job_id))
        watching = asyncio.create_task(_watch(client, job_id))
        with ticking(served.redis, job_id, per_second=TICKS_PER_S, count=ticks):
            await asyncio.wait_for(_until_last(client, job_id), ticks / TICKS_PER_S + 60)
        await asyncio.sleep(2 * POLL_EVERY_S)
        served.succeed(job_id)
        watched, polled = await watching, await polling
    first = int(len(watched) * SHORT_WARM_UP)
    return watched[first:], _lags_of_all(polled, ticks)


async def _until_last(client: AsyncClient, job_id: str) -> None:
    while True:
        job = await client.get_job(job_id)
        if job.progress is not None and job.progress.fraction >= 1.0:
            return
        await asyncio.sleep(POLL_EVERY_S)


async def _watch(client: AsyncClient, job_id: str) -> list[float]:
    """The lag of each update that came, in seconds."""
    lags: list[float] = []
    async for update in client.watch(job_id):
        if isinstance(update, ProgressTick):
            lags.append((time.monotonic_ns() - int(update.progress.message)) / 1e9)
    return lags


async def _poll(client: AsyncClient, job_id: str) -> list[tuple[int, float]]:
    """What was seen, and when: nanoseconds of its report, seconds of the machine's monotonic clock."""
    seen: list[tuple[int, float]] = []
    while (job := await client.get_job(job_id)).state is not JobState.SUCCEEDED:
        if job.progress is not None:
            reported = int(job.progress.message)
            if not seen or reported > seen[-1][0]:
                seen.append((reported, time.monotonic()))
        await asyncio.sleep(POLL_EVERY_S)
    return seen


def _lags_of_all(seen: Sequence[tuple[int, float]], ticks: int) -> list[float]:
    """The lag of each update, also of those that were passed over: until it or a newer one was seen."""
    lags: list[float] = []
    for (before_ns, _), (reported_ns, at) in pairwise(seen):
        between = max(round((reported_ns - before_ns) / 1e9 * TICKS_PER_S), 1)
        step_ns = (reported_ns - before_ns) / between
        lags += [at - (before_ns + step_ns * number) / 1e9 for number in range(1, between + 1)]
    return lags[:ticks]


def _p(lags: Sequence[float], percent: int) -> float:
    return median(lags) if percent == 50 else quantiles(lags, n=100)[percent - 1]


def _row(name: str, lags: Sequence[float], ticks: int) -> tuple[str, ...]:
    share = f"{min(len(lags) / (ticks * (1 - SHORT_WARM_UP)), 1):.0%}" if name == "watched" else "–"
    return (name, f"{_p(lags, 50) * 1e3:.2f}", f"{_p(lags, 99) * 1e3:.2f}", share)
