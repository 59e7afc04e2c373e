"""Jobs of any kind, run in this process as a worker's child runs them."""

import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from harken.jobs import queries, submission
from harken.jobs.files import artifacts
from harken.jobs.files.artifacts import Artifact
from harken.jobs.job import NO_SOURCE, Job, JobKind, NewJob
from harken.jobs.store.database import Database
from harken.media.storage import Storage
from harken.settings import Settings
from harken.tasks.attempt import TASKS

OWNER = "local"


@dataclass(frozen=True)
class Hands:
    """Submits jobs, runs them, and looks at what they made."""

    database: Database
    settings: Settings
    ticks: list[dict[str, Any]] = field(default_factory=list)

    def submit(self, kind: JobKind, spec: dict[str, Any] | None, owner: str = OWNER) -> str:
        """The id of a new job."""
        new = NewJob(source=NO_SOURCE, features=(), queue="maintenance", kind=kind, spec=spec)
        now = datetime.now(UTC)
        with self.database.write() as connection:
            return submission.submit_job(connection, new, owner=owner, now=now).job_id

    def run(self, kind: JobKind, spec: dict[str, Any] | None, owner: str = OWNER) -> Job:
        """A new job, after its first attempt."""
        return self.attempt(self.submit(kind, spec, owner), owner)

    def attempt(self, job_id: str, owner: str = OWNER) -> Job:
        """The job after one more attempt."""
        TASKS[self.job(job_id, owner).kind].run(job_id)
        return self.job(job_id, owner)

    def job(self, job_id: str, owner: str = OWNER) -> Job:
        """The job as it is."""
        with self.database.read() as connection:
            return queries.get_job(connection, job_id, owner=owner)

    def artifact(self, job: Job) -> tuple[Artifact, bytes]:
        """The only artifact of a job, and its bytes."""
        with self.database.read() as connection:
            (made,) = artifacts.of_job(connection, job.job_id, owner=job.owner)
            _, stored = artifacts.get_artifact(connection, made.artifact_id, owner=job.owner)
        storage = Storage(self.settings.storage_url)
        return made, b"".join(storage.read(stored.key, end=stored.size))


@pytest.fixture
def hands(
    database_url: str, redis: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Hands]:
    """A database, a Redis and a storage of the test's own."""
    settings = Settings(
        database_url=database_url,
        broker_url=redis,
        storage_url=(tmp_path / "storage").as_uri(),
        max_retries=0,
    )
    before = signal.getsignal(signal.SIGUSR1)
    database = Database(database_url)
    made = Hands(database, settings)
    for task in TASKS.values():
        monkeypatch.setattr(task, "settings", settings)
        monkeypatch.setattr(task, "update_state", lambda **state: made.ticks.append(state["meta"]))
        close(task)
    yield made
    database.close()
    for task in TASKS.values():
        close(task)
    signal.signal(signal.SIGUSR1, before)


def close(task: Any) -> None:
    """Closes what a task has opened, maybe for an earlier test."""
    for name in ("database", "bell"):
        opened = task.__dict__.pop(name, None)
        if opened is not None:
            opened.close()
