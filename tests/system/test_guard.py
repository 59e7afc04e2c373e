"""What a worker's main process does about children that do not stop, die, or take too much.

A stopped process (SIGSTOP) hears nothing but SIGKILL: it stands for one that never comes back from C code.
"""

import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from harken.client import JobState, ProgressTick, Transition
from harken.jobs.execution import LEASE
from harken.v1 import job_pb2
from harken.v1.job_service_pb2 import CancelJobRequest
from tests.conftest import eventually, in_time
from tests.system.conftest import (
    CANCELLED,
    CANCELLING,
    FAILED,
    SUCCEEDED,
    System,
    harken_up,
)

# What users are promised.
STOPPED_WITHIN = timedelta(seconds=10)
SLOT_FREE_WITHIN = timedelta(seconds=1)
RUNNING_AGAIN_WITHIN = timedelta(seconds=2)
RUNNING_ELSEWHERE_WITHIN = LEASE + timedelta(seconds=2)


@pytest.fixture(scope="module")
def guarded(media: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system with one slot, warm; a job survives one crash."""
    with harken_up(
        tmp_path_factory.mktemp("guarded"), media, HARKEN_CONCURRENCY="1", HARKEN_MAX_CRASHES="2"
    ) as running:
        running.follow(running.submit("piece.mp3").job_id)
        yield running


def parts(system: System, text: str) -> list[psutil.Process]:
    """The system's own processes whose command line holds a text."""
    of_system = psutil.Process(system.process.pid).children(recursive=True)
    return [process for process in of_system if text in " ".join(process.cmdline())]


def child_of(system: System) -> psutil.Process:
    """The process that the job runs in."""
    workers = parts(system, "--name=worker")
    (child,) = [process for process in workers if process.parent() in workers]
    return child


def is_gone(process: psutil.Process) -> bool:
    """Whether a process has ended."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def at_work(system: System, path: str = "3-hours.wav", **fields: object) -> job_pb2.Job:
    """A job that a child is in the midst of."""
    job = system.submit(path, **fields)
    for update in system.client.watch(job.job_id):
        if isinstance(update, ProgressTick):
            return job
    pytest.fail("the job ended before")


def cancel(system: System, job: job_pb2.Job) -> datetime:
    """Asks for the job to be stopped; returns when."""
    asked = datetime.now(UTC)
    assert system.jobs.CancelJob(CancelJobRequest(job_id=job.job_id)).job.state == CANCELLING
    return asked


def test_a_job_that_hears_nothing_is_stopped_on_cancel_and_its_slot_is_free(
    guarded: System,
) -> None:
    def until_the_slot_is_taken() -> timedelta:
        job = at_work(guarded)
        waiting = guarded.submit("piece.mp3")
        child = child_of(guarded)
        child.suspend()

        asked = cancel(guarded, job)
        guarded.follow(job.job_id)

        assert is_gone(child)
        stopped = guarded.get(job.job_id)
        assert stopped.state == CANCELLED
        stopped_time = stopped.stopped_time.ToDatetime(tzinfo=UTC)
        assert stopped_time - asked < STOPPED_WITHIN
        guarded.follow(waiting.job_id)
        next_job = guarded.get(waiting.job_id)
        assert next_job.state == SUCCEEDED
        return next_job.start_time.ToDatetime(tzinfo=UTC) - stopped_time

    in_time(SLOT_FREE_WITHIN, until_the_slot_is_taken)


def test_a_job_that_hears_nothing_is_stopped_on_cancel_without_redis_too(guarded: System) -> None:
    job = at_work(guarded)
    child = child_of(guarded)
    (redis,) = parts(guarded, "redis-server")
    child.suspend()
    redis.suspend()
    try:
        asked = cancel(guarded, job)
        guarded.follow(job.job_id)
    finally:
        redis.resume()

    assert is_gone(child)
    stopped_time = guarded.get(job.job_id).stopped_time.ToDatetime(tzinfo=UTC)
    assert stopped_time - asked < STOPPED_WITHIN
    after = guarded.submit("piece.mp3")
    guarded.follow(after.job_id)
    assert guarded.get(after.job_id).state == SUCCEEDED


def running_again(system: System, strike: Callable[[], object]) -> tuple[timedelta, Transition]:
    """How long after `strike`, which a job at work does not survive, it ran again; and how it was put back."""
    job = system.submit("3-hours.wav")
    struck: datetime | None = None
    changes: list[Transition] = []
    for update in system.client.watch(job.job_id):
        if isinstance(update, ProgressTick) and struck is None:
            struck = datetime.now(UTC)
            strike()
        elif isinstance(update, ProgressTick) and update.attempt == 2:
            break
        elif isinstance(update, Transition) and struck is not None:
            changes.append(update)
    cancel(system, job)
    system.follow(job.job_id)
    back, again = changes
    assert (back.to_state, again.to_state) == (JobState.QUEUED, JobState.RUNNING)
    assert struck is not None
    assert again.time is not None
    return again.time - struck, back


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_job_whose_process_dies_is_running_again_soon(
    guarded: System, number: signal.Signals
) -> None:
    def kill_child() -> timedelta:
        took, back = running_again(guarded, lambda: child_of(guarded).send_signal(number))
        assert back.error is not None
        assert number.name in back.error.message
        return took

    in_time(RUNNING_AGAIN_WITHIN, kill_child)


def test_a_job_with_a_run_timeout_stops_by_itself_and_is_not_tried_again(guarded: System) -> None:
    job = guarded.submit("3-hours.wav", run_timeout=timedelta(seconds=1))
    assert job.run_timeout.ToTimedelta() == timedelta(seconds=1)

    guarded.follow(job.job_id)

    failed = guarded.get(job.job_id)
    assert (failed.state, failed.attempt) == (FAILED, 1)
    assert (failed.error.kind, failed.error.reason) == (job_pb2.JobError.KIND_TIMEOUT, "TIME_LIMIT")
    assert "limit of 1 s" in failed.error.message
    assert failed.end_time.ToDatetime() - failed.start_time.ToDatetime() < timedelta(seconds=5)


def test_a_job_that_hears_nothing_is_killed_some_time_after_its_run_timeout(
    guarded: System,
) -> None:
    job = at_work(guarded, run_timeout=timedelta(seconds=2))
    child = child_of(guarded)
    child.suspend()

    guarded.follow(job.job_id)

    assert is_gone(child)
    failed = guarded.get(job.job_id)
    assert (failed.state, failed.attempt) == (FAILED, 1)
    assert failed.error.kind == job_pb2.JobError.KIND_TIMEOUT
    assert "limit of 2 s" in failed.error.message


def test_a_killed_worker_takes_its_children_with_it_and_its_job_runs_again_in_time(
    guarded: System,
) -> None:
    def kill_main() -> None:
        child = child_of(guarded)
        child.suspend()
        (main,) = [p for p in parts(guarded, "--name=worker") if p != child]
        main.kill()
        eventually(lambda: is_gone(child), within_s=5)

    def kill_worker() -> timedelta:
        took, back = running_again(guarded, kill_main)
        assert back.error is not None
        assert "its worker is gone" in back.error.message
        return took

    in_time(RUNNING_ELSEWHERE_WITHIN, kill_worker)


@pytest.fixture
def narrow(media: Path, tmp_path: Path) -> Iterator[System]:
    """A system whose children may take less memory than any job needs."""
    with harken_up(
        tmp_path / "data",
        media,
        HARKEN_CONCURRENCY="1",
        HARKEN_MAX_CRASHES="2",
        HARKEN_MAX_MEMORY_PER_CHILD="20",
    ) as running:
        yield running


def test_a_job_that_takes_too_much_memory_counts_as_crashed_and_says_so(narrow: System) -> None:
    job = narrow.submit("3-hours.wav")

    narrow.follow(job.job_id)

    failed = narrow.get(job.job_id)
    assert (failed.state, failed.attempt) == (FAILED, 2)
    assert failed.error.kind == job_pb2.JobError.KIND_CRASHED
    assert "MB of memory, 20 MB are allowed" in failed.error.message
