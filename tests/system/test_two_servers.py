"""Two servers on one PostgreSQL and one Redis: it does not matter which one is asked."""

import socket
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest
from grpc_health.v1.health_pb2_grpc import HealthStub

from harken.client import BatchSnapshot, Client, ServerUnavailable, Transition
from harken.jobs.store.database import Database
from harken.jobs.store.migrate import migrate
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
                cwd=log.parent,  # where bytes are stored, unless told otherwise
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
        self.environment = environment
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


def test_a_watch_goes_on_at_the_other_when_one_is_drained(
    servers: tuple[Server, Server], tmp_path: Path
) -> None:
    """Each change of state comes once and in order, of the job and of the batch with its items; nothing is missed."""
    drained = Server(tmp_path / "third", servers[0].environment)
    addresses = ",".join(server.address for server in (drained, servers[1]))
    ahead = [submit(servers[0], "3-hours.wav") for _ in range(2)]  # both slots
    items = [SubmitBatchRequest.Item(source=Source(path="piece.mp3")) for _ in range(3)]
    batch = servers[0].jobs.SubmitBatch(SubmitBatchRequest(items=items)).batch
    lost: list[ServerUnavailable] = []
    with Client(f"ipv4:{addresses}") as client:
        watch = client.watch_items(batch.batch_id, timeout=120, on_lost=lost.append)
        updates = [next(watch)]
        told = Thread(target=lambda: updates.extend(watch))
        told.start()

        drained.stop()  # SIGTERM; the jobs of the batch start after that
        for job_id in ahead:
            servers[0].jobs.CancelJob(CancelJobRequest(job_id=job_id))
        told.join(120)

    assert lost
    assert all(failure.reason == "SERVER_STOPPING" for failure in lost[:1])
    moves = [(one.job_id, one.revision) for one in updates if isinstance(one, Transition)]
    jobs = {job_id for job_id, _ in moves}
    assert len(jobs) == 3
    assert all([r for job_id, r in moves if job_id == job] == [2, 3] for job in jobs)
    assert isinstance(updates[-1], BatchSnapshot)
    assert updates[-1].batch.succeeded == 3


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
