"""The whole system, started as a user starts it: `harken up`, on SQLite and on PostgreSQL."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest

from harken.client import Client
from harken.v1 import job_pb2
from harken.v1.job_service_pb2 import (
    GetJobRequest,
    StreamProgressRequest,
    StreamProgressResponse,
    SubmitAnalysisRequest,
)
from harken.v1.job_service_pb2_grpc import JobServiceStub
from harken.v1.source_pb2 import Source
from harken.v1.worker_service_pb2_grpc import WorkerServiceStub
from tests.conftest import new_postgresql_database

QUEUED, RUNNING, CANCELLING, SUCCEEDED, FAILED, CANCELLED = (
    job_pb2.JOB_STATE_QUEUED,
    job_pb2.JOB_STATE_RUNNING,
    job_pb2.JOB_STATE_CANCELLING,
    job_pb2.JOB_STATE_SUCCEEDED,
    job_pb2.JOB_STATE_FAILED,
    job_pb2.JOB_STATE_CANCELLED,
)
HARKEN = [sys.executable, "-m", "harken.client.cli"]
READY = re.compile(r"harken is ready on (\S+)")
STOPPED_WITHIN_S = 40


@dataclass(frozen=True)
class System:
    """A running system: where it answers, where it keeps its data, and the process to signal."""

    address: str
    data: Path
    process: subprocess.Popen[str]
    jobs: JobServiceStub
    workers: WorkerServiceStub
    client: Client

    def submit(self, path: str, **fields: object) -> job_pb2.Job:
        """A submitted job, which is run even where another test's result is known to hold for it."""
        known: dict[str, object] = {"skip_cache": True, **fields}
        request = SubmitAnalysisRequest(source=Source(path=path), **known)
        return self.jobs.SubmitAnalysis(request).job

    def get(self, job_id: str) -> job_pb2.Job:
        """A job with its result."""
        return self.jobs.GetJob(GetJobRequest(job_id=job_id)).job

    def follow(self, job_id: str, **fields: object) -> list[StreamProgressResponse]:
        """All messages of a job's stream, to its end."""
        return list(self.jobs.StreamProgress(StreamProgressRequest(job_id=job_id, **fields)))

    def follow_batch(self, batch_id: str, **fields: object) -> list[StreamProgressResponse]:
        """All messages of a batch's stream, to its end."""
        return list(self.jobs.StreamProgress(StreamProgressRequest(batch_id=batch_id, **fields)))

    def until_running(self, job_id: str) -> None:
        """Returns once a worker is on the job."""
        for message in self.jobs.StreamProgress(StreamProgressRequest(job_id=job_id)):
            running = message.snapshot.job.state == RUNNING
            if running or any(event.HasField("progress") for event in message.events.events):
                return

    def log(self, part: str) -> str:
        """What a part has logged."""
        return (self.data / "logs" / f"{part}.log").read_text(errors="replace")


def clean_environment(**given: str) -> dict[str, str]:
    """The environment without what would steer harken."""
    names = ("HARKEN_", "CELERY_", "REDIS_", "DATABASE_URL")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(names)}
    return {**kept, **given}


@contextmanager
def harken_up(data: Path, *roots: Path, **environment: str) -> Generator[System]:
    """Runs `harken up` on a free port until the end, then stops it with Ctrl-C."""
    options = [option for root in roots for option in ("--media-root", str(root))]
    process = subprocess.Popen(
        [*HARKEN, "up", "--data-dir", str(data), "--listen", "127.0.0.1:0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=clean_environment(**environment),
    )
    assert process.stdout is not None
    try:
        said: list[str] = []
        for line in process.stdout:
            said.append(line)
            if ready := READY.search(line):
                break
        else:
            pytest.fail("harken up did not get ready:\n" + "".join(said))
        with grpc.insecure_channel(ready[1]) as channel, Client(ready[1]) as client:
            yield System(
                address=ready[1],
                data=data,
                process=process,
                jobs=JobServiceStub(channel),
                workers=WorkerServiceStub(channel),
                client=client,
            )
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.stdout.close()
        process.wait(STOPPED_WITHIN_S)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def system(
    request: pytest.FixtureRequest, media: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    """One system for all tests of a database, which leave nothing behind that disturbs the others."""
    data = tmp_path_factory.mktemp("data") / "harken"
    if request.param == "sqlite":
        with harken_up(data, media) as running:
            yield running
        return
    server = request.getfixturevalue("postgresql")
    with (
        new_postgresql_database(server) as url,
        harken_up(data, media, HARKEN_DATABASE_URL=url) as running,
    ):
        yield running
