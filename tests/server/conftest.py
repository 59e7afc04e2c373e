"""A server in this process, on SQLite and a Redis of its own; the tests play the worker."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import grpc
import pytest
from celery import Celery

from harken.jobs import execution
from harken.jobs.job import Job
from harken.jobs.queueing.bell import Bell
from harken.jobs.store.database import Database
from harken.jobs.store.migrate import migrate
from harken.redis.connections import connect
from harken.server.progress.ticks import KEY_PREFIX
from harken.server.serve import running_server
from harken.settings import Settings
from harken.v1.job_service_pb2 import (
    ListJobsRequest,
    StreamProgressRequest,
    SubmitAnalysisRequest,
    SubmitBatchRequest,
)
from harken.v1.job_service_pb2_grpc import JobServiceStub
from harken.v1.source_pb2 import Source


class WorkerHands:
    """What a worker does to jobs, one step at a time."""

    def __init__(self, settings: Settings) -> None:
        self.database = Database(settings.database_url)
        self.bell = Bell(settings.result_backend)
        self.celery = Celery(backend=settings.result_backend, set_as_current=False)

    def claim(self, job_id: str) -> Job:
        """Claims the job."""
        with self.database.write() as connection:
            job = execution.claim(connection, job_id, worker="one@test", pid=1, now=now())
        self.bell.ring()
        assert job is not None
        return job

    def tick(self, job: Job, seq: int, fraction: float, *, attempt: int | None = None) -> None:
        """Reports progress as the task does, through Celery's result backend."""
        meta = {
            "attempt": attempt or job.attempt,
            "seq": seq,
            "stage": "decode",
            "fraction": fraction,
            "message": f"tick {seq}",
        }
        self.celery.backend.store_result(job.job_id, meta, "PROGRESS")

    def succeed(self, job: Job, *, ring: bool = True) -> None:
        """Ends the job with a result."""
        with self.database.write() as connection:
            execution.succeed(connection, job.job_id, job.attempt, {"media": {}}, now())
        if ring:
            self.bell.ring()

    def lose(self, job: Job) -> None:
        """Loses the process that works on the job."""
        with self.database.write() as connection:
            execution.lose(connection, job.job_id, job.attempt, now(), cause="test", max_crashes=9)
        self.bell.ring()

    def close(self) -> None:
        """Closes the connections."""
        self.database.close()
        self.bell.close()
        self.celery.close()


@dataclass
class Served:
    """The server's stub and the worker's hands."""

    settings: Settings
    jobs: JobServiceStub
    hands: WorkerHands

    async def submit(self) -> str:
        """The id of a submitted job."""
        request = SubmitAnalysisRequest(source=Source(path="one.wav"))
        return (await self.jobs.SubmitAnalysis(request)).job.job_id

    async def submit_batch(self, size: int) -> tuple[str, list[str]]:
        """The id of a submitted batch, and those of its jobs."""
        items = [SubmitBatchRequest.Item(source=Source(path="one.wav")) for _ in range(size)]
        batch = (await self.jobs.SubmitBatch(SubmitBatchRequest(items=items))).batch
        listed = await self.jobs.ListJobs(ListJobsRequest(batch_id=batch.batch_id, page_size=1_000))
        return batch.batch_id, [job.job_id for job in reversed(listed.jobs)]

    def subscriptions(self) -> int:
        """How many jobs' ticks Redis says that the server is subscribed to."""
        with connect(self.settings.broker_url) as redis:
            return len(redis.pubsub_channels(KEY_PREFIX + "*"))

    def watch(self, **fields: object):  # a call of grpc.aio
        """A stream."""
        return self.jobs.StreamProgress(StreamProgressRequest(**fields))


async def until(condition: Callable[[], object], within_s: float = 20.0) -> None:
    """Returns once the condition holds; fails the test when it does not in time."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 # what Redis and the collector say rings no bell
            await asyncio.sleep(0.01)


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)


@pytest.fixture
def settings(tmp_path: Path, redis: str) -> Settings:
    """Settings of a server with a database and a Redis of its own."""
    (tmp_path / "one.wav").touch()
    settings = Settings(
        database_url=f"sqlite:///{tmp_path / 'harken.db'}",
        broker_url=redis,
        listen=f"unix:{tmp_path / 'harken.sock'}",
        media_roots=(str(tmp_path),),
        grace_period_s=1,
        storage_url=(tmp_path / "storage").as_uri(),
    )
    migrate(Database(settings.database_url, pooled=False))
    return settings


@pytest.fixture
async def served(settings: Settings) -> AsyncIterator[Served]:
    """A server that answers."""
    hands = WorkerHands(settings)
    async with (
        running_server(settings) as address,
        grpc.aio.insecure_channel(address) as channel,
    ):
        yield Served(settings, JobServiceStub(channel), hands)
    hands.close()
