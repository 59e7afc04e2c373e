"""The job domain on a real database, one transaction a call, with a clock that the test sets."""

import shutil
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from threading import Barrier
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, delete, text

from harken.jobs import cancellation, deadlines, execution, leases, log, queries, submission
from harken.jobs.job import Batch, ErrorKind, Job, JobError, NewBatch, NewJob, Source, Transition
from harken.jobs.leases import Standing
from harken.jobs.owners.quotas import NO_QUOTA, Quota
from harken.jobs.queries import JobFilter
from harken.jobs.queueing import outbox, relay
from harken.jobs.queueing.outbox import Outgoing
from harken.jobs.state import JobState
from harken.jobs.store.database import Database
from harken.jobs.store.migrate import migrate
from harken.jobs.store.schema import METADATA
from tests.conftest import new_postgresql_database

T = TypeVar("T")

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
OWNER = "local"
WORKER = "worker-1@host"
FIRST_PID = 4711


def new_job(path: str = "a.wav", **fields: Any) -> NewJob:
    """A job as it comes from the edge."""
    wanted = {"features": ("rhythm",), "queue": "audio_processing", **fields}
    return NewJob(source=Source(kind="path", value=path), **wanted)


def transient_error(message: str = "the share is away") -> JobError:
    """An error that is worth trying again."""
    return JobError(kind=ErrorKind.TRANSIENT, reason="IO_ERROR", message=message)


def input_error() -> JobError:
    """An error of the file."""
    return JobError(kind=ErrorKind.INPUT, reason="UNREADABLE", message="It is no audio.")


class Jobs:
    """What users, workers and the server do to jobs."""

    new = staticmethod(new_job)
    transient_error = staticmethod(transient_error)
    input_error = staticmethod(input_error)

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = NOW
        self._pids = count(FIRST_PID)
        self._claimed_by: dict[str, int] = {}

    def advance(self, **time: float) -> None:
        """Sets the clock forward."""
        self.now += timedelta(**time)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Runs `work` in a write transaction of its own."""
        with self.database.write() as connection:
            return work(connection)

    def statement(self, work: Callable[[Connection], T]) -> T:
        """Runs `work`, which is one statement where the database allows, as a worker does."""
        with self.database.statement() as connection:
            return work(connection)

    def read(self, work: Callable[[Connection], T]) -> T:
        """Runs `work` in a read transaction of its own."""
        with self.database.read() as connection:
            return work(connection)

    def submit(self, path: str = "a.wav", *, owner: str = OWNER, **fields: Any) -> Job:
        """Submits one file."""
        new = new_job(path, **fields)
        return self.write(lambda c: submission.submit_job(c, new, owner=owner, now=self.now))

    def submit_batch(self, *items: NewJob, owner: str = OWNER, **fields: Any) -> Batch:
        """Submits a batch; the items' indices are those of the arguments."""
        new = NewBatch(items=tuple(enumerate(items)), **fields)
        return self.write(lambda c: submission.submit_batch(c, new, owner=owner, now=self.now))

    def get(self, job: Job) -> Job:
        """The job as it is now."""
        return self.read(lambda c: queries.get_job(c, job.job_id, owner=job.owner))

    def result(self, job: Job) -> dict[str, Any] | None:
        """The job's result."""
        return self.read(lambda c: queries.get_result(c, job.job_id))

    def batch(self, batch: Batch) -> Batch:
        """The batch as it is now."""
        return self.read(lambda c: queries.get_batch(c, batch.batch_id, owner=OWNER))

    def listed(self, *, limit: int = 100, before_id: str | None = None, **wanted: Any) -> list[Job]:
        """The jobs that a filter lets through, the newest first."""
        where = JobFilter(**wanted)
        return list(
            self.read(
                lambda c: queries.list_jobs(c, where, owner=OWNER, limit=limit, before_id=before_id)
            )
        )

    def log(self, job: Job) -> tuple[Transition, ...]:
        """The job's transitions."""
        return self.read(lambda c: log.of_job(c, job.job_id))

    def claim(
        self,
        job: Job,
        worker: str = WORKER,
        *,
        pid: int | None = None,
        tried: Collection[datetime] = (),
        running: Quota = NO_QUOTA,
    ) -> Job | None:
        """A process of a worker tries to take the job: each time another one, if none is named."""
        number = next(self._pids) if pid is None else pid
        transact = self.write if running else self.statement
        claimed = transact(
            lambda c: execution.claim(
                c,
                job.job_id,
                worker=worker,
                pid=number,
                now=self.now,
                tried=tried,
                running=running,
            )
        )
        if claimed is not None:
            self._claimed_by[job.job_id] = number
        return claimed

    def running(self, worker: str = WORKER, **fields: Any) -> Job:
        """A new job that a worker has taken."""
        job = self.claim(self.submit(**fields), worker)
        assert job is not None
        return job

    def succeed(self, job: Job, result: dict[str, Any] | None = None) -> JobState | None:
        """The attempt that `job` shows ends well."""
        return self.statement(
            lambda c: execution.succeed(c, job.job_id, job.attempt, result or {}, self.now)
        )

    def fail(self, job: Job, error: JobError | None = None) -> JobState | None:
        """The attempt that `job` shows fails for good."""
        return self.write(
            lambda c: execution.fail(c, job.job_id, job.attempt, error or input_error(), self.now)
        )

    def retry(
        self, job: Job, *, max_retries: int = 3, error: JobError | None = None
    ) -> JobState | None:
        """The attempt that `job` shows meets a transient error."""
        return self.write(
            lambda c: execution.retry(
                c,
                job.job_id,
                job.attempt,
                error or transient_error(),
                max_retries=max_retries,
                chance=0.5,
                now=self.now,
            )
        )

    def stop(self, job: Job) -> JobState | None:
        """The attempt that `job` shows stops because it was asked to."""
        return self.write(lambda c: execution.stop(c, job.job_id, job.attempt, self.now))

    def hand_back(self, job: Job, stopped_time: datetime | None = None) -> JobState | None:
        """The worker stops and gives back the attempt that `job` shows."""
        return self.write(
            lambda c: execution.hand_back(
                c, job.job_id, job.attempt, self.now, stopped_time=stopped_time
            )
        )

    def lose(
        self, job: Job, *, max_crashes: int = 3, stopped_time: datetime | None = None
    ) -> JobState | None:
        """The process of the attempt that `job` shows dies."""
        return self.write(
            lambda c: execution.lose(
                c,
                job.job_id,
                job.attempt,
                self.now,
                cause="signal 9",
                max_crashes=max_crashes,
                stopped_time=stopped_time,
            )
        )

    def expire(self, job: Job) -> JobState | None:
        """The process of the attempt that `job` shows is killed at the hard time limit."""
        return self.write(
            lambda c: execution.expire(c, job.job_id, job.attempt, self.now, limit_s=3600)
        )

    def attempt_of(self, job: Job, worker: str = WORKER, *, pid: int | None = None) -> int | None:
        """The attempt by which a process holds the job: the one that claimed it last, if none is named."""
        number = self._claimed_by[job.job_id] if pid is None else pid
        return self.read(lambda c: execution.attempt_of(c, job.job_id, worker=worker, pid=number))

    def reap(self, *, max_crashes: int = 3) -> int:
        """The reaper looks for expired leases."""
        return self.write(lambda c: leases.reap(c, max_crashes=max_crashes, now=self.now))

    def renew(self, *jobs: Job) -> tuple[Standing, ...]:
        """The worker prolongs the leases of the attempts that `jobs` show."""
        held = [(job.job_id, job.attempt) for job in jobs]
        return self.write(lambda c: leases.renew(c, held, self.now))

    def look(self, *jobs: Job) -> tuple[Standing, ...]:
        """The worker asks where the jobs stand."""
        ids = [job.job_id for job in jobs]
        return self.read(lambda c: leases.look(c, ids, self.now))

    def cancel(self, job: Job) -> Job:
        """A user asks for the job to be cancelled."""
        return self.write(
            lambda c: cancellation.cancel_job(c, job.job_id, owner=job.owner, now=self.now)
        )

    def cancel_batch(self, batch: Batch) -> Batch:
        """A user asks for the batch to be cancelled."""
        return self.write(
            lambda c: cancellation.cancel_batch(c, batch.batch_id, owner=OWNER, now=self.now)
        )

    def due(self, limit: int = 100) -> tuple[Outgoing, ...]:
        """What the relay would publish next, had it no window."""
        self.write(lambda c: outbox.ripen(c, self.now))
        return self.read(lambda c: relay.next_jobs(c, self.now, without_workers=limit)).jobs

    def fail_overdue(self) -> int:
        """The server looks for jobs that have not started in time."""
        return self.write(lambda c: deadlines.fail_overdue(c, self.now))

    def at_once(self, *works: Callable[[], T]) -> list[T]:
        """Runs all in threads that begin together."""
        barrier = Barrier(len(works))

        def start(work: Callable[[], T]) -> T:
            barrier.wait()
            return work()

        with ThreadPoolExecutor(len(works)) as pool:
            return [begun.result() for begun in [pool.submit(start, work) for work in works]]


@pytest.fixture
def jobs(database: Database) -> Jobs:
    """The job domain on an empty database, of each kind in turn."""
    return Jobs(database)


@pytest.fixture
def jobs_on() -> Callable[[Database], Jobs]:
    """Makes the job domain on a database of the test's own."""
    return Jobs


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql: str) -> Iterator[str]:
    """A PostgreSQL database with harken's schema, for all tests in turn."""
    with new_postgresql_database(postgresql) as url:
        database = Database(url, pooled=False)
        migrate(database)
        with database.write() as connection:
            # No test pulls the plug; waiting for the disk would be most of their time.
            connection.execute(
                text(f"ALTER DATABASE {database.engine.url.database} SET synchronous_commit = off")
            )
        yield url


@pytest.fixture
def emptied_postgresql(migrated_postgresql: str) -> Iterator[str]:
    """It with nothing in it; deleting rows is quicker than making tables."""
    yield migrated_postgresql
    with Database(migrated_postgresql, pooled=False).write() as connection:
        for table in reversed(METADATA.sorted_tables):
            connection.execute(delete(table))


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with harken's schema, to copy."""
    file = tmp_path_factory.mktemp("migrated") / "harken.db"
    migrate(Database(f"sqlite:///{file}", pooled=False))
    return file


# For what there is in one kind only.
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database with harken's schema and nothing in it, of each kind in turn."""
    if request.param == "postgresql":
        return request.getfixturevalue("emptied_postgresql")
    shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "harken.db")
    return f"sqlite:///{tmp_path / 'harken.db'}"


@pytest.fixture
def postgresql_jobs(emptied_postgresql: str) -> Iterator[Jobs]:
    """The job domain on PostgreSQL, where several transactions write at once."""
    database = Database(emptied_postgresql)
    yield Jobs(database)
    database.close()
