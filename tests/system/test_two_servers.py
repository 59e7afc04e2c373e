"""Two servers on one PostgreSQL and one Redis: it does not matter which one is asked."""

import socket
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest
from grpc_health.v1.health_pb2_grpc import HealthStub

from harken.jobs.database import Database
from harken.jobs.migrate import migrate
from harken.v1.job_service_pb2 import (
    CancelJobRequest,
    GetJobRequest,
    StreamProgressRequest,
    SubmitAnalysisRequest,
    SubmitBatchRequest,
)
from harken.v1.job_service_pb2_grpc import JobServiceStub
from harken.v1.source_pb2 import Source
from tests.conftest import eventually, new_postgresql_database, running_redis
from tests.system.conftest import CANCELLED, SUCCEEDED, clean_environment


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """A process of harken with its log."""

    def __init__(self, module: list[str], log: Path, environment: dict[str, str]) -> None:
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *module],
                env=clean_environment(**environment),
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def stop(self) -> None:
        """Asks it to end, and waits for that."""
        self.process.terminate()
        self.process.wait(30)


class Server(Process):
    """A `harken serve` of its own."""

    def __init__(self, log: Path, environment: dict[str, str]) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        super().__init__(["harken.server", "--listen", self.address], log, environment)
        self.channel = grpc.insecure_channel(self.address)
        self.jobs = JobServiceStub(self.channel)
        HealthStub(self.channel).Check(HealthCheckRequest(), wait_for_ready=True, timeout=30)

    def leads(self) -> bool:
        """Whether it was the last to say that it leads the housekeeping."""
        return "leading housekeeping" in self.log.read_text()


@contextmanager
def parts(database: str, redis: str, media: Path, folder: Path) -> Generator[tuple[Server, Server]]:
    """Two servers and a worker."""
    environment = {
        # The names that people have already.
        "DATABASE_URL": database,
        "CELERY_BROKER_URL": redis,
        "CELERY_RESULT_BACKEND": redis,
        "HARKEN_MEDIA_ROOTS": str(media),
        "HARKEN_GRACE_PERIOD": "2",
    }
    worker = Process(["harken.tasks", "worker", "--name=one"], folder / "worker", environment)
    servers = [Server(folder / name, environment) for name in ("first", "second")]
    try:
        yield servers[0], servers[1]
    finally:
        for process in (worker, *servers):
            process.stop()


@pytest.fixture(scope="module")
def servers(
    postgresql: str, media: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Server]]:
    """Two servers on one store."""
    folder = tmp_path_factory.mktemp("two-servers")
    with new_postgresql_database(postgresql) as url, running_redis() as redis:
        migrate(Database(url, pooled=False))
        with parts(url, redis, media, folder) as running:
            yield running


def submit(server: Server, path: str) -> str:
    """The id of a submitted job."""
    request = SubmitAnalysisRequest(source=Source(path=path))
    return server.jobs.SubmitAnalysis(request).job.job_id


def test_a_job_submitted_to_one_is_watched_and_read_at_the_other(
    servers: tuple[Server, Server],
) -> None:
    for here, there in (servers, servers[::-1]):
        job_id = submit(here, "piece.flac")

        messages = list(there.jobs.StreamProgress(StreamProgressRequest(job_id=job_id)))

        events = [event for message in messages for event in message.events.events]
        assert events[-1].transition.to == SUCCEEDED
        assert there.jobs.GetJob(GetJobRequest(job_id=job_id)).job.result.HasField("rhythm")


def test_a_token_of_one_is_good_at_the_other(servers: tuple[Server, Server]) -> None:
    job_id = submit(servers[0], "piece.mp3")
    token = next(servers[0].jobs.StreamProgress(StreamProgressRequest(job_id=job_id))).resume_token

    request = StreamProgressRequest(job_id=job_id, resume_token=token)
    messages = list(servers[1].jobs.StreamProgress(request))

    last = messages[-1].events.events[-1]
    assert last.transition.to == SUCCEEDED


def test_a_batch_submitted_to_one_is_followed_at_the_other(servers: tuple[Server, Server]) -> None:
    items = [SubmitBatchRequest.Item(source=Source(path="piece.mp3")) for _ in range(5)]
    batch = servers[0].jobs.SubmitBatch(SubmitBatchRequest(items=items)).batch

    request = StreamProgressRequest(batch_id=batch.batch_id)
    messages = list(servers[1].jobs.StreamProgress(request))

    assert messages[-1].snapshot.batch.succeeded == 5


def test_one_cancels_what_was_submitted_to_the_other(servers: tuple[Server, Server]) -> None:
    job_id = submit(servers[0], "3-hours.wav")
    stream = servers[0].jobs.StreamProgress(StreamProgressRequest(job_id=job_id))
    next(
        message for message in stream if any(e.HasField("progress") for e in message.events.events)
    )

    servers[1].jobs.CancelJob(CancelJobRequest(job_id=job_id))

    last = list(stream)[-1].events.events[-1]
    assert last.transition.to == CANCELLED


def test_one_of_them_leads_and_the_other_takes_over(servers: tuple[Server, Server]) -> None:
    """The last test of this file: it stops the server that hands jobs to the broker."""
    eventually(lambda: any(server.leads() for server in servers))
    assert sum(server.leads() for server in servers) == 1
    leader, other = servers if servers[0].leads() else servers[::-1]

    leader.process.kill()
    leader.process.wait()
    job_id = submit(other, "piece.mp3")
    messages = list(other.jobs.StreamProgress(StreamProgressRequest(job_id=job_id)))

    assert messages[-1].events.events[-1].transition.to == SUCCEEDED
    assert other.leads()
