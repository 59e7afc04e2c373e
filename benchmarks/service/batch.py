"""10,000 jobs, accepted and durable by one SubmitBatch, against as many `delay()` from a loop, which promise less."""

import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import grpc

from benchmarks.engine.report import Section, at_least
from benchmarks.service import harken_server, parts
from benchmarks.service.path import enqueue
from harken.v1.job_service_pb2 import SubmitBatchRequest
from harken.v1.job_service_pb2_grpc import JobServiceStub
from harken.v1.source_pb2 import Source

AT_LEAST: Final = 30.0  # × faster


def measure(*, rounds: int, jobs: int) -> Section:
    """SQLite, PostgreSQL and the loop in turn; each item names a file of its own, which is looked at."""
    with tempfile.TemporaryDirectory(prefix="harken-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        media = folder / "media"
        media.mkdir()
        names = [f"{number:05}.wav" for number in range(jobs)]
        for file in names:
            (media / file).write_bytes(b"RIFF")
        _, broker = stack.enter_context(parts.redis(folder))
        _, postgresql = stack.enter_context(parts.postgresql(folder))
        urls = {
            "SQLite": f"sqlite:///{folder / 'harken.db'}",
            "PostgreSQL": parts.new_database(postgresql),
        }
        stubs: dict[str, JobServiceStub] = {}
        for kind, url in urls.items():
            address = stack.enter_context(harken_server.running(kind, url, broker, media, folder))
            stubs[kind] = JobServiceStub(stack.enter_context(grpc.insecure_channel(address)))
        request = SubmitBatchRequest(
            items=[SubmitBatchRequest.Item(source=Source(path=file)) for file in names]
        )
        spent: dict[str, list[float]] = {kind: [] for kind in (*stubs, "delay()")}
        for number in range(rounds + 1):  # the first round is not counted
            for kind, stub in stubs.items():
                begun = time.perf_counter()
                batch = stub.SubmitBatch(request).batch
                took = time.perf_counter() - begun
                if batch.total != jobs:
                    raise parts.PartError(f"{batch.total} of {jobs} items were accepted")
                spent[kind] += [took] if number else []
            took = enqueue("delay", jobs, {"PEER_BROKER_URL": broker})
            spent["delay()"] += [took] if number else []
    medians = {kind: statistics.median(some) for kind, some in spent.items()}
    return Section(
        part="batch",
        title=f"{jobs:,} jobs from one caller",
        columns=("", "s", "jobs/s"),
        rows=tuple(
            (kind, f"{seconds:.3f}", f"{jobs / seconds:,.0f}") for kind, seconds in medians.items()
        ),
        targets=tuple(
            at_least(f"delay() ÷ SubmitBatch, {kind}", medians["delay()"] / medians[kind], AT_LEAST)
            for kind in stubs
        ),
        notes=("delay() has given its messages to Redis, which has them in memory only.",),
    )
