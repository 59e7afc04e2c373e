"""Several workers on one PostgreSQL and one Redis: they come and go, freeze, and have clocks that are wrong."""

import asyncio
import signal
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
from sqlalchemy import select

from harken.client import Client, ProgressTick
from harken.jobs import log, queries
from harken.jobs.job import ErrorKind, Job
from harken.jobs.queueing.outbox import Outgoing
from harken.jobs.queueing.workers import LOST_AFTER
from harken.jobs.state import JobState
from harken.jobs.store.database import Database
from harken.jobs.store.migrate import migrate
from harken.jobs.store.schema import JOBS, WORKERS
from harken.server.housekeeping.publisher import Publisher
from harken.settings import Settings
from tests.conftest import eventually, new_postgresql_database, running_redis
from tests.system.test_two_servers import Process, Server

GRACE_PERIOD_S = 1
SHORT_LEASE = "5"  # seconds: for tests of what comes after it, not of how long that takes
SKEW = timedelta(hours=1)
# What a host's clock says that is wrong: `date`, and all that Python asks.
SKEWED_CLOCK = f"""
import datetime, time

right = time.time
time.time = lambda: right() + {SKEW.total_seconds()}

class Skewed(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(time.time(), tz)

datetime.datetime = Skewed
"""


class Worker(Process):
    """A `harken worker` of its own, with one slot."""

    def __init__(self, name: str, folder: Path, environment: dict[str, str]) -> None:
        arguments = ["worker", f"--name={name}", "--concurrency=1"]
        super().__init__(["harken.tasks", *arguments], folder / f"{name}.log", environment)
        self.main = psutil.Process(self.process.pid)

    def until_ready(self) -> None:
        """Returns once it takes jobs."""
        eventually(lambda: self.said("is ready: queues"), within_s=60)

    def family(self) -> list[psutil.Process]:
        """The main process and its children."""
        return [self.main, *self.main.children()]

    def child(self) -> psutil.Process:
        """The one that jobs run in."""
        (child,) = self.main.children()
        return child

    def said(self, text: str) -> int:
        """How often it has logged a text."""
        return self.log.read_text().count(text)


class Fleet:
    """A server, and workers that are started as a test wants them."""

    def __init__(self, folder: Path, url: str, environment: dict[str, str], server: Server) -> None:
        self.folder = folder
        self.environment = environment
        self.database = Database(url)
        self.client = Client(server.address)

    @contextmanager
    def worker(self, name: str, **environment: str) -> Generator[Worker]:
        """A worker until the end."""
        with self.starting(name, **environment) as worker:
            worker.until_ready()
            yield worker

    @contextmanager
    def starting(self, name: str, **environment: str) -> Generator[Worker]:
        """A worker until the end, which is not ready yet."""
        worker = Worker(name, self.folder, {**self.environment, **environment})
        try:
            yield worker
        finally:
            for process in worker.family() if worker.main.is_running() else ():
                process.resume()
            worker.stop()

    def get(self, job_id: str) -> Job:
        """The job as the database has it, with what the contract does not show."""
        with self.database.read() as connection:
            return queries.get_job(connection, job_id, owner="local")

    def path_of(self, job_id: str) -> list[tuple[JobState, int]]:
        """The states that the job went through, each with its attempt."""
        with self.database.read() as connection:
            return [(row.after, row.attempt) for row in log.of_job(connection, job_id)]

    def at_work(self, path: str, attempt: int = 1, *, job_id: str | None = None) -> str:
        """The id of a job that a child is in the midst of."""
        job_id = job_id or self.client.submit(path, skip_cache=True).job_id
        for update in self.client.watch(job_id):
            if isinstance(update, ProgressTick) and update.attempt == attempt:
                return job_id
        pytest.fail("the job ended before")

    def until_ended(self, job_id: str) -> Job:
        """The job once it has ended."""
        list(self.client.watch(job_id))
        return self.get(job_id)


@pytest.fixture(scope="module")
def fleet(
    postgresql: str, media: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    """A server without workers; a job that was lost once has failed."""
    folder = tmp_path_factory.mktemp("fleet")
    with new_postgresql_database(postgresql) as url, running_redis() as redis, ExitStack() as stack:
        migrate(Database(url, pooled=False))
        environment = {
            "HARKEN_DATABASE_URL": url,
            "HARKEN_BROKER_URL": redis,
            "HARKEN_MEDIA_ROOTS": str(media),
            "HARKEN_GRACE_PERIOD": str(GRACE_PERIOD_S),
        }
        server = Server(folder / "server", environment)
        stack.callback(server.stop)
        made = Fleet(folder, url, environment, server)
        yield made
        made.client.close()
        made.database.close()


class Substitute:
    """A worker that has no slot free until it is called for: what is submitted goes to others."""

    def __init__(self, fleet: Fleet, worker: Worker) -> None:
        self.worker = worker
        self._fleet = fleet
        self._held_by: str | None = None

    def hold(self) -> None:
        """Gives it a job, and stops that; no other worker is there."""
        if self._held_by is None:
            self._held_by = self._fleet.at_work("3-hours.wav")
            self.worker.child().suspend()

    def free(self) -> None:
        """Takes the job away."""
        assert self._held_by is not None
        self._fleet.client.cancel_job(self._held_by)
        self.worker.child().resume()
        self._fleet.until_ended(self._held_by)
        self._held_by = None


@pytest.fixture(scope="module")
def substitute(fleet: Fleet) -> Iterator[Substitute]:
    """One for all tests: a worker takes its time to start."""
    with fleet.worker("other") as worker:
        yield Substitute(fleet, worker)


@pytest.fixture
def other(substitute: Substitute) -> Iterator[Substitute]:
    """It, with its slot taken before and after the test."""
    substitute.hold()
    yield substitute
    substitute.hold()


def test_a_stopping_worker_hands_its_job_back_and_that_is_no_crash(
    fleet: Fleet, other: Substitute
) -> None:
    """As in a rolling restart: nothing is lost, nothing done twice, and no job is the worse for it."""
    with fleet.worker("old") as old:
        job_id = fleet.at_work("1-hour.wav")
        child = old.child()
        old.process.terminate()
        old.process.wait(GRACE_PERIOD_S + 20)
        assert not child.is_running()
        waiting = fleet.get(job_id)
        assert (waiting.state, waiting.attempt) == (JobState.QUEUED, 1)
    other.free()
    done = fleet.until_ended(job_id)

    assert (done.state, done.attempt) == (JobState.SUCCEEDED, 2)
    assert (done.crashes, done.retries) == (0, 0)


def test_a_sigterm_for_all_processes_of_a_worker_is_no_crash_either(fleet: Fleet) -> None:
    """As systemd sends it."""
    with fleet.worker("old") as old:
        job_id = fleet.at_work("3-hours.wav")
        for process in old.family():
            process.send_signal(signal.SIGTERM)
        old.process.wait(GRACE_PERIOD_S + 20)

    waiting = fleet.get(job_id)
    assert (waiting.state, waiting.attempt) == (JobState.QUEUED, 1)
    assert (waiting.crashes, waiting.retries) == (0, 0)
    fleet.client.cancel_job(job_id)


def test_a_worker_that_is_stopped_at_once_hands_its_job_back_all_the_same(fleet: Fleet) -> None:
    with fleet.worker("old") as old:
        job_id = fleet.at_work("3-hours.wav")
        child = old.child()
        old.process.send_signal(signal.SIGQUIT)
        old.process.wait(20)
        assert not child.is_running()

    waiting = fleet.get(job_id)
    assert (waiting.state, waiting.attempt) == (JobState.QUEUED, 1)
    assert (waiting.crashes, waiting.retries) == (0, 0)
    fleet.client.cancel_job(job_id)


def test_a_cancelled_job_of_a_stopping_worker_has_stopped_when_it_says_so(fleet: Fleet) -> None:
    with fleet.worker("old", HARKEN_KILL_AFTER="100") as old:
        job_id = fleet.at_work("3-hours.wav")
        child = old.child()
        child.suspend()
        fleet.client.cancel_job(job_id)
        stopping = datetime.now(UTC)
        old.process.terminate()

        stopped = fleet.until_ended(job_id)

        assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
        old.process.wait(20)
    assert stopped.state is JobState.CANCELLED
    assert stopped.stopped_time is not None
    assert stopped.stopped_time - stopping >= timedelta(seconds=GRACE_PERIOD_S)


def test_a_rolling_restart_under_load_loses_and_repeats_nothing(fleet: Fleet) -> None:
    with ExitStack() as stack:
        old = [stack.enter_context(fleet.starting(f"old-{number}")) for number in range(2)]
        for worker in old:
            worker.until_ready()
        batch = fleet.client.submit_batch(["piece.mp3"] * 30, features=["rhythm"])
        long = fleet.client.submit("20-minutes.wav", skip_cache=True).job_id
        for number, worker in enumerate(old):
            worker.process.terminate()
            new = stack.enter_context(fleet.starting(f"new-{number}"))
            worker.process.wait(GRACE_PERIOD_S + 20)
            new.until_ready()
        list(fleet.client.watch_batch(batch.batch_id))
        fleet.until_ended(long)

    counts = fleet.client.get_batch(batch.batch_id)
    assert (counts.total, counts.succeeded) == (30, 30)
    assert fleet.get(long).state is JobState.SUCCEEDED
    with fleet.database.read() as connection:
        spent = connection.execute(
            select(JOBS.c.crashes, JOBS.c.retries).where(JOBS.c.batch_id == batch.batch_id)
        ).all()
    assert set(spent) == {(0, 0)}


def test_what_a_frozen_worker_writes_after_its_job_was_done_by_another_is_refused(
    fleet: Fleet, other: Substitute
) -> None:
    with fleet.worker("frozen", HARKEN_LEASE=SHORT_LEASE) as frozen:
        job_id = fleet.at_work("20-minutes.wav")
        for process in frozen.family():
            process.suspend()
        other.free()
        done = fleet.until_ended(job_id)
        assert (done.state, done.attempt, done.crashes) == (JobState.SUCCEEDED, 2, 1)
        for process in frozen.family():
            process.resume()
        # It notices at its next look; where it was at the very end, its result is refused.
        eventually(lambda: frozen.said(f"job {job_id} attempt 1 ends: refused"))

    assert fleet.get(job_id) == done
    states = [JobState.QUEUED, JobState.RUNNING, JobState.QUEUED, JobState.RUNNING]
    assert [state for state, _ in fleet.path_of(job_id)] == [*states, JobState.SUCCEEDED]


def test_a_child_that_was_left_behind_by_its_job_is_killed(fleet: Fleet, other: Substitute) -> None:
    with fleet.worker("frozen", HARKEN_KILL_AFTER="1", HARKEN_LEASE=SHORT_LEASE) as frozen:
        job_id = fleet.at_work("3-hours.wav")
        child = frozen.child()
        for process in frozen.family():
            process.suspend()
        other.free()
        fleet.at_work("3-hours.wav", 2, job_id=job_id)
        frozen.main.resume()
        eventually(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
        held = fleet.get(job_id)
        assert (held.state, held.attempt, held.crashes) == (JobState.RUNNING, 2, 1)
        fleet.client.cancel_job(job_id)
        assert fleet.until_ended(job_id).state is JobState.CANCELLED


async def publish(jobs: list[Outgoing], environment: dict[str, str]) -> None:
    publisher = Publisher(Settings.from_environment(environment))
    await publisher.publish(jobs)
    await publisher.close()


def test_a_message_that_comes_twice_disturbs_nothing(fleet: Fleet, other: Substitute) -> None:
    """As after a broker's restart: the second one finds the job taken, at whatever worker."""
    other.free()
    with fleet.worker("one") as one:
        job_id = fleet.at_work("20-minutes.wav")
        job = fleet.get(job_id)
        again = Outgoing(job_id=job_id, attempt=0, queue=job.queue, priority=job.priority)
        asyncio.run(publish([again] * 3, fleet.environment))

        done = fleet.until_ended(job_id)

        refused = f"job {job_id} is not to be had"
        eventually(lambda: one.said(refused) + other.worker.said(refused) == 3)
    assert (done.state, done.attempt, done.crashes) == (JobState.SUCCEEDED, 1, 0)
    assert fleet.get(job_id) == done


@pytest.fixture
def skewed(tmp_path: Path) -> Callable[[], dict[str, str]]:
    """What gives a process a clock that is an hour fast."""
    (tmp_path / "sitecustomize.py").write_text(SKEWED_CLOCK)

    def environment() -> dict[str, str]:
        import os

        return {"PYTHONPATH": f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}"}

    return environment


def test_a_worker_whose_clock_is_an_hour_fast_neither_loses_nor_keeps_a_job(
    fleet: Fleet, skewed: Callable[[], dict[str, str]]
) -> None:
    with fleet.worker("fast", HARKEN_LEASE=SHORT_LEASE, **skewed()) as fast:
        job_id = fleet.at_work("3-hours.wav")
        with fleet.database.read() as connection:
            lease = connection.execute(
                select(JOBS.c.lease_expires_at).where(JOBS.c.job_id == job_id)
            ).scalar_one()
            beats = connection.execute(
                select(WORKERS.c.heartbeat_time).where(WORKERS.c.name.startswith("fast@"))
            ).scalar_one()
            started = connection.execute(
                select(WORKERS.c.start_time).where(WORKERS.c.name.startswith("fast@"))
            ).scalar_one()
        now = datetime.now(UTC)
        assert started - now > SKEW / 2, "its clock is right"
        assert abs(beats - now) < timedelta(minutes=1)
        assert abs(lease - now) < timedelta(minutes=1)
        # A clock of its own would have the lease run for an hour.
        for process in fast.family()[::-1]:
            process.kill()
        taken = eventually(
            lambda: job if (job := fleet.get(job_id)).state is JobState.QUEUED else None,
            within_s=LOST_AFTER.total_seconds() + 30,
        )
    assert isinstance(taken, Job)
    assert taken.crashes == 1
    assert taken.error is not None
    assert taken.error.kind is ErrorKind.CRASHED
    fleet.client.cancel_job(job_id)


def test_a_server_whose_clock_is_an_hour_fast_counts_a_jobs_time_like_any_other(
    fleet: Fleet, skewed: Callable[[], dict[str, str]]
) -> None:
    environment = {**fleet.environment, **skewed()}
    server = Server(fleet.folder / "fast-server", environment)
    try:
        with Client(server.address) as client:
            wanted = {"schedule_timeout": timedelta(minutes=30)}
            alone = client.submit("piece.mp3", **wanted).job_id
            batch = client.submit_batch(["piece.mp3"])
            again = client.retry_jobs([cancelled(client, alone)])[0].new_job_id
            assert again is not None
            cancelled(client, again)
            client.cancel_batch(batch.batch_id)
    finally:
        server.stop()

    now = datetime.now(UTC)
    for job_id in (alone, again):
        job = fleet.get(job_id)
        assert abs(job.create_time - now) < SKEW / 2
        assert job.schedule_deadline == job.create_time + timedelta(minutes=30)
    assert batch.batch.create_time is not None
    assert abs(batch.batch.create_time - now) < SKEW / 2


def cancelled(client: Client, job_id: str) -> str:
    """The id of a job, once it is cancelled."""
    client.cancel_job(job_id)
    return job_id
