"""One attempt at a job, run in this process as a worker's child runs it: what can go wrong, and when."""

import asyncio
import os
import signal
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from celery.exceptions import Ignore
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

import harken.audio
from harken.jobs import execution, log, queries, submission
from harken.jobs.job import ErrorKind, JobKind, NewJob, Source
from harken.jobs.state import JobState
from harken.jobs.store.database import Database
from harken.settings import Settings
from harken.tasks import attempt
from harken.tasks.attempt import TASKS
from tests.chaos.cluster import socket_of, through
from tests.chaos.proxy import proxied

analyze = TASKS[JobKind.ANALYSIS]


@pytest.fixture
def task(database_url, redis, media, monkeypatch):
    """The task on a database and a Redis of its own."""
    settings = Settings(
        database_url=database_url, result_backend=redis, media_roots=(str(media),), max_retries=0
    )
    monkeypatch.setattr(analyze, "settings", settings)
    monkeypatch.setattr(analyze, "update_state", lambda **_: None)
    before = signal.getsignal(signal.SIGUSR1)
    for opened in ("database", "bell"):
        analyze.__dict__.pop(opened, None)
    yield analyze
    analyze.database.close()
    analyze.bell.close()
    del analyze.database, analyze.bell
    signal.signal(signal.SIGUSR1, before)


@pytest.fixture
def submitted(task):
    """Submits a job; returns its id."""

    def submit(**fields):
        new = NewJob(
            source=Source(kind="path", value="piece.mp3"),
            features=("media",),
            queue="default",
            **fields,
        )
        with task.database.write() as connection:
            return submission.submit_job(
                connection, new, owner="local", now=datetime.now(UTC)
            ).job_id

    return submit


def job_of(task, job_id):
    with task.database.read() as connection:
        return queries.get_job(connection, job_id, owner="local")


def path_of(task, job_id):
    with task.database.read() as connection:
        return [(row.after, row.attempt) for row in log.of_job(connection, job_id)]


DONE_AT_ONCE = [(JobState.QUEUED, 0), (JobState.RUNNING, 1), (JobState.SUCCEEDED, 1)]


def hit_the_soft_limit(after):
    """Wraps a write so that the soft time limit is hit just before it is committed."""

    def write(*arguments, **options):
        written = after(*arguments, **options)
        os.kill(os.getpid(), signal.SIGUSR1)
        return written

    return write


def raising(error):
    def work(*_, **__):
        raise error

    return work


def test_a_job_is_done(task, submitted):
    job_id = submitted()
    assert task.run(job_id) == {"job_id": job_id, "state": JobState.SUCCEEDED}
    assert job_of(task, job_id).state is JobState.SUCCEEDED


def test_a_soft_limit_during_the_claim_ends_the_first_attempt_as_timeout(
    task, submitted, monkeypatch
):
    """It used to leave the task: nobody wrote an end, the lease ran out, and the job ran again."""
    monkeypatch.setattr(execution, "claim", hit_the_soft_limit(execution.claim))
    job_id = submitted()
    task.run(job_id)
    failed = job_of(task, job_id)
    assert (failed.state, failed.attempt) == (JobState.FAILED, 1)
    assert failed.error.kind is ErrorKind.TIMEOUT


def test_a_soft_limit_during_the_write_of_the_result_comes_too_late(task, submitted, monkeypatch):
    monkeypatch.setattr(execution, "succeed", hit_the_soft_limit(execution.succeed))
    job_id = submitted()
    task.run(job_id)
    done = job_of(task, job_id)
    assert (done.state, done.attempt, done.revision) == (JobState.SUCCEEDED, 1, 3)


def test_a_soft_limit_during_the_work_interrupts_it(task, submitted, monkeypatch):
    def work(*_, **__):
        os.kill(os.getpid(), signal.SIGUSR1)
        pytest.fail("it was not interrupted")

    monkeypatch.setattr(harken.audio, "analyze", work)
    job_id = submitted()
    task.run(job_id)
    assert job_of(task, job_id).error.kind is ErrorKind.TIMEOUT


def test_work_over_its_run_timeout_stops_at_its_next_report(task, submitted, monkeypatch):
    def work(*_, on_progress, **__):
        while True:
            on_progress("decode", 0.5, "")

    monkeypatch.setattr(harken.audio, "analyze", work)
    job_id = submitted(run_timeout=timedelta(seconds=0.2))
    task.run(job_id)
    failed = job_of(task, job_id)
    assert (failed.state, failed.error.reason) == (JobState.FAILED, "TIME_LIMIT")
    assert "limit of 0.2 s" in failed.error.message


class _Panic(BaseException):
    """As some libraries in Rust raise it: no Exception."""


@pytest.mark.parametrize("error", [MemoryError(), _Panic("at the disco"), RecursionError()])
def test_whatever_the_work_raises_is_the_jobs_failure_and_leaves_no_task(
    task, submitted, monkeypatch, error
):
    monkeypatch.setattr(harken.audio, "analyze", raising(error))
    job_id = submitted()
    assert task.run(job_id)["state"] == JobState.FAILED
    assert job_of(task, job_id).error.kind is ErrorKind.INTERNAL


@pytest.mark.parametrize("error", [MemoryError(), TypeError("no JSON"), _Panic()])
def test_a_result_that_cannot_be_written_fails_the_job(task, submitted, monkeypatch, error):
    monkeypatch.setattr(execution, "succeed", raising(error))
    job_id = submitted()
    assert task.run(job_id)["state"] == JobState.FAILED
    assert job_of(task, job_id).error.kind is ErrorKind.INTERNAL


@pytest.mark.parametrize("error", [MemoryError(), _Panic(), ValueError("x")])
def test_what_keeps_every_end_from_being_written_is_ignored_by_celery(
    task, submitted, monkeypatch, error
):
    """A MemoryError that got out would take the whole worker down."""
    for end in ("succeed", "fail"):
        monkeypatch.setattr(execution, end, raising(error))
    with pytest.raises(Ignore):
        task.run(submitted())


def test_a_claim_waits_for_the_database_however_long_it_is_away(task, submitted, monkeypatch):
    """Given up, its message would be gone, and the job wait for nothing."""
    tries = []

    def claim(*arguments, **options):
        tries.append(None)
        if len(tries) < 3:
            raise OperationalError("", {}, Exception("away"))
        return claimed(*arguments, **options)

    claimed = execution.claim
    monkeypatch.setattr(execution, "claim", claim)
    monkeypatch.setattr(attempt.JobTask.write, "__kwdefaults__", {"single": False, "within_s": 0.0})
    monkeypatch.setattr("harken.tasks.job_task.WRITE_AGAIN_S", 0.01)
    job_id = submitted()
    task.run(job_id)
    assert job_of(task, job_id).state is JobState.SUCCEEDED


def not_answered(write, times):
    """Writes whose commit is made, and then the connection is lost, so many times."""
    left = [None] * times

    @contextmanager
    def lost():
        with write() as connection:
            yield connection
        if left:
            left.pop()
            raise OperationalError("COMMIT", {}, Exception("connection reset by peer"))

    return lost


@pytest.mark.parametrize("times", [1, 3])
def test_a_claim_whose_commit_is_not_answered_is_known_again(task, submitted, monkeypatch, times):
    """Given up, the job would wait for its lease, and count a crash."""
    job_id = submitted()
    monkeypatch.setattr("harken.tasks.job_task.WRITE_AGAIN_S", 0.01)
    monkeypatch.setattr(task.database, "statement", not_answered(task.database.statement, times))
    task.run(job_id)
    assert path_of(task, job_id) == DONE_AT_ONCE


def cut_the_claim(proxy):
    """Cuts the connection when the first claim is answered."""
    left = [None]

    def cut(_connection, _cursor, statement, *_):
        if "claimed AS" in statement and left:
            left.pop()
            proxy.cut_at_answer()

    return cut


@pytest.mark.parametrize("empty_database_url", ["postgresql"], indirect=True)
async def test_a_connection_that_is_reset_between_a_claims_commit_and_its_answer_costs_nothing(
    task, submitted, monkeypatch
):
    direct = task.settings.database_url
    job_id = await asyncio.to_thread(submitted)
    monkeypatch.setattr("harken.tasks.job_task.WRITE_AGAIN_S", 0.01)
    async with proxied(socket_of(direct)) as proxy:
        through_proxy = Database(through(direct, proxy.port))
        event.listen(through_proxy.engine, "before_cursor_execute", cut_the_claim(proxy))
        monkeypatch.setitem(task.__dict__, "database", through_proxy)
        await asyncio.to_thread(task.run, job_id)
        assert await asyncio.to_thread(path_of, task, job_id) == DONE_AT_ONCE
        through_proxy.close()
