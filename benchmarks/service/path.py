"""No-op jobs through all of it, from SubmitBatch on PostgreSQL to the watcher, against Celery alone."""

import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import grpc

from benchmarks.engine.report import Section, at_least
from benchmarks.service import harken_server, parts
from harken.v1.job_service_pb2 import StreamProgressRequest, SubmitBatchRequest
from harken.v1.job_service_pb2_grpc import JobServiceStub
from harken.v1.source_pb2 import Source
from harken.v1.worker_service_pb2 import InspectWorkersRequest
from harken.v1.worker_service_pb2_grpc import WorkerServiceStub

CONCURRENCY: Final = "2"
AT_LEAST: Final = 0.5  # × the jobs/s of Celery alone


def measure(*, rounds: int, jobs: int) -> Section:
    """Both in turn, each with its own workers, of which those whose turn it is not have nothing to do."""
    with tempfile.TemporaryDirectory(prefix="harken-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        runs = {
            "harken": _harken(stack, folder / "harken"),
            "Celery alone": _celery(stack, folder / "celery"),
        }
        for run in runs.values():
            run(jobs // 4)  # not counted: connections, and the children's first statements
        spent: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(rounds):
            for name, run in runs.items():
                spent[name].append(jobs / run(jobs))
    rates = {name: statistics.median(some) for name, some in spent.items()}
    ratio = rates["harken"] / rates["Celery alone"]
    return Section(
        part="path",
        title=f"{jobs:,} no-op jobs, prefork pools of {CONCURRENCY}, PostgreSQL",
        columns=("", "jobs/s"),
        rows=tuple((name, f"{rate:,.0f}") for name, rate in rates.items()),
        targets=(at_least("jobs/s ÷ Celery's", ratio, AT_LEAST),),
        notes=(
            "harken: from SubmitBatch to the end of the batch's stream.",
            "Celery: from the first delay() to the last result, which nobody watches and SQL does not have.",
            "Neither replaces its children in between.",
        ),
    )


def _harken(stack: ExitStack, folder: Path) -> Callable[[int], float]:
    media = folder / "media"
    media.mkdir(parents=True)
    (media / "a.wav").write_bytes(b"RIFF")
    _, broker = stack.enter_context(parts.redis(folder))
    _, postgresql = stack.enter_context(parts.postgresql(folder))
    environment = {
        **harken_server.environment(parts.new_database(postgresql), broker, media),
        "HARKEN_CONCURRENCY": CONCURRENCY,
        "HARKEN_MAX_TASKS_PER_CHILD": "1000000",
    }
    server = parts.running("server", harken_server.COMMAND, folder, environment)
    address = stack.enter_context(server).said(harken_server.READY)
    command = parts.python("benchmarks.service.noop_worker")
    stack.enter_context(parts.running("worker", command, folder, environment))
    channel = stack.enter_context(grpc.insecure_channel(address))
    workers = WorkerServiceStub(channel)
    parts.until(lambda: workers.InspectWorkers(InspectWorkersRequest()).workers)
    stub = JobServiceStub(channel)

    def run(jobs: int) -> float:
        items = [SubmitBatchRequest.Item(source=Source(path="a.wav"))] * jobs
        # Not the result of the first of them for all the others.
        request = SubmitBatchRequest(items=items, skip_cache=True)
        begun = time.perf_counter()
        batch_id = stub.SubmitBatch(request).batch.batch_id
        last = None
        for message in stub.StreamProgress(StreamProgressRequest(batch_id=batch_id)):
            if message.HasField("snapshot"):
                last = message.snapshot.batch
        took = time.perf_counter() - begun
        if last is None or last.succeeded != jobs:
            raise parts.PartError(f"of {jobs} no-op jobs not all succeeded: {last}")
        return took

    return run


def _celery(stack: ExitStack, folder: Path) -> Callable[[int], float]:
    folder.mkdir(parents=True)
    _, broker = stack.enter_context(parts.redis(folder))
    environment = {"PEER_BROKER_URL": broker}
    command = parts.python("celery", "-A", "benchmarks.service.peer_tasks", "worker")
    command += ["--concurrency", CONCURRENCY, "--pool", "prefork", "--loglevel", "INFO"]
    worker = stack.enter_context(parts.running("worker", command, folder, environment))
    worker.said(r"(ready)\.")
    return lambda jobs: enqueue("results", jobs, environment)


def enqueue(way: str, number: int, environment: dict[str, str]) -> float:
    """Seconds that the peer took to enqueue, in a process of its own."""
    run = subprocess.run(
        parts.python("benchmarks.service.enqueue", way, str(number)),
        cwd=parts.REPOSITORY,
        env=parts.environment_with(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise parts.PartError(f"{way} failed: {run.stderr[-2000:]}")
    return float(run.stdout)
