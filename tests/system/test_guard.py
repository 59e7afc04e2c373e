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
    job = at_work(guarded, run_timeout=timedelta(seconds=1))
    child = child_of(guarded)
    child.suspend()

    guarded.follow(job.job_id)

    assert is_gone(child)
    failed = guarded.get(job.job_id)
    assert (failed.state, failed.attempt) == (FAILED, 1)
    assert failed.error.kind == job_pb2.JobError.KIND_TIMEOUT
    assert "limit of 1 s" in failed.error.message


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


ALLOWED_MB = 290  # a child takes 150 to 200 MB, and 30 more at work
COVER_MB = 250  # a tag holds no more than 256


def synchsafe(number: int) -> bytes:
    """A number as ID3 writes it: 7 bits a byte."""
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def with_huge_cover(mp3: bytes, file: Path) -> None:
    """Writes a song that takes too much memory as long as it is open, which its cover is for."""
    picture = b"\0image/png\0\x03\0"
    picture_bytes = len(picture) + COVER_MB * 1_000_000
    frame = b"APIC" + synchsafe(picture_bytes) + b"\0\0" + picture
    with file.open("wb") as output:
        output.write(b"ID3\x04\0\0" + synchsafe(10 + picture_bytes) + frame)
        output.seek(COVER_MB * 1_000_000, 1)  # zeros, which take no room on the disk
        output.write(mp3)


@pytest.fixture
def two_slots(media: Path, tmp_path: Path) -> Iterator[System]:
    """A system with two slots, whose children may take what an analysis needs and not much more."""
    fat = tmp_path / "fat"
    fat.mkdir()
    with_huge_cover((media / "piece.mp3").read_bytes() * 50, fat / "fat.mp3")
    with harken_up(
        tmp_path / "data",
        media,
        fat,
        HARKEN_CONCURRENCY="2",
        HARKEN_MAX_MEMORY_PER_CHILD=str(ALLOWED_MB),
    ) as running:
        yield running


def test_a_file_that_takes_too_much_memory_fails_as_crashed_and_its_neighbours_finish(
    two_slots: System,
) -> None:
    long = at_work(two_slots, "1-hour.wav")
    fat = two_slots.submit("fat.mp3")
    short = [two_slots.submit("piece.mp3") for _ in range(5)]

    for job in (fat, long, *short):
        two_slots.follow(job.job_id)

    failed = two_slots.get(fat.job_id)
    assert (failed.state, failed.attempt) == (FAILED, 3)
    assert failed.error.kind == job_pb2.JobError.KIND_CRASHED
    assert f"MB of memory, {ALLOWED_MB} MB are allowed" in failed.error.message
    assert "3 of 3 times" in failed.error.message
    neighbours = [two_slots.get(job.job_id) for job in (long, *short)]
    assert {(job.state, job.attempt) for job in neighbours} == {(SUCCEEDED, 1)}
    # One was at work while the other slot's process was killed, and no job waits for that one's end.
    assert neighbours[0].start_time.ToDatetime() < failed.start_time.ToDatetime()
    assert neighbours[0].end_time.ToDatetime() > failed.start_time.ToDatetime()
