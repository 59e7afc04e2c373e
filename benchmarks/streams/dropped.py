"""Streams that are opened and dropped, wave after wave, in each way that a caller has; what is left of them."""

import asyncio
import multiprocessing
import time
from collections.abc import Sequence
from typing import Any

import grpc

from benchmarks.engine.report import Section, at_most
from benchmarks.streams.served import Served
from benchmarks.streams.watching import METHOD
from harken.v1.job_service_pb2 import StreamProgressRequest

WAVE = 1_000  # streams that are open at the same time
JOBS = 100
DEADLINE_S = 1.0
WAYS = ("cancelled", "cancelled before a message", "deadline passed", "connection closed")
# A fortieth of an open stream: what allocators keep of their own accord is not told from a leak below that.
LEFT_TARGET_BYTES = 750.0


def measure(served: Served, *, streams: int) -> Section:
    """Waves of streams, those of a tenth before what is counted."""
    batch_id, jobs = served.submit_batch(JOBS)
    served.move_batch(batch_id, "QUEUED", "RUNNING")
    requests = [StreamProgressRequest(job_id=job_id) for job_id in jobs]
    requests += [
        StreamProgressRequest(batch_id=batch_id, include_items=items) for items in (True, False)
    ]
    payload = [request.SerializeToString() for request in requests]
    wave = max(min(WAVE, streams // len(WAYS)), 1)
    _drop(served.address, payload, max(streams // 10, len(WAYS) * wave), wave)
    _settle(served)
    before, cpu_s, begun = served.memory_bytes(), served.cpu_s(), time.monotonic()
    _drop(served.address, payload, streams, wave)
    wall_s, used_s = time.monotonic() - begun, served.cpu_s() - cpu_s
    _settle(served)
    after = served.memory_bytes()
    left = served.subscriptions()
    return Section(
        part="dropped",
        title=f"{streams:,} streams opened and dropped, {wave:,} at a time: " + ", ".join(WAYS),
        columns=("", "before", "after"),
        rows=(
            ("the server's memory, MB", f"{before / 1e6:.1f}", f"{after / 1e6:.1f}"),
            ("subscriptions in Redis", "0", str(left)),
        ),
        targets=(
            at_most("subscriptions left", left, 0, ""),
            at_most("left by each", (after - before) / streams, LEFT_TARGET_BYTES, "bytes"),
        ),
        notes=(
            f"it took {wall_s:.0f} s, and the server {used_s * 1e6 / streams:.0f} µs of CPU for each",
        ),
    )


def _settle(served: Served) -> None:
    give_up = time.monotonic() + 30
    while served.subscriptions() and time.monotonic() < give_up:
        time.sleep(0.1)
    time.sleep(1)


def _drop(address: str, requests: Sequence[bytes], streams: int, wave: int) -> None:
    process = multiprocessing.get_context("spawn").Process(
        target=_run, args=(address, requests, streams, wave), daemon=True
    )
    process.start()
    process.join()
    if process.exitcode != 0:
        raise RuntimeError("opening streams failed")


def _run(address: str, requests: Sequence[bytes], streams: int, wave: int) -> None:
    asyncio.run(_waves(address, requests, streams, wave))


async def _waves(address: str, requests: Sequence[bytes], streams: int, wave: int) -> None:
    options = [("grpc.use_local_subchannel_pool", 1)]
    for number, begun in enumerate(range(0, streams, wave)):
        way = WAYS[number % len(WAYS)]
        timeout = DEADLINE_S if way == "deadline passed" else None
        async with grpc.aio.insecure_channel(address, options) as channel:
            method = channel.unary_stream(METHOD)
            calls: list[Any] = [
                method(requests[place % len(requests)], timeout=timeout)
                for place in range(min(wave, streams - begun))
            ]
            if way == "cancelled before a message":
                await asyncio.sleep(0)
            else:
                await asyncio.gather(*(call.read() for call in calls), return_exceptions=True)
            if way == "deadline passed":
                await asyncio.gather(*(call.code() for call in calls))
            elif way != "connection closed":
                for call in calls:
                    call.cancel()
