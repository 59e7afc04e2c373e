"""What breaks, and what is left of it: a killed child, a killed system, a Redis that loses everything."""

import errno
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from redis import Redis

from harken.client import JobState, ProgressTick
from harken.v1 import job_pb2
from harken.v1.feature_pb2 import Feature
from tests.conftest import eventually
from tests.system.conftest import FAILED, QUEUED, RUNNING, SUCCEEDED, System, harken_up


@pytest.fixture(scope="module")
def fragile(media: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system to break; it is whole again after each test."""
    with harken_up(
        tmp_path_factory.mktemp("fragile"), media, HARKEN_CONCURRENCY="1", HARKEN_MAX_CRASHES="2"
    ) as running:
        yield running


def parts(system: System, text: str) -> list[psutil.Process]:
    """The system's own processes whose command line holds a text, children's children too."""
    of_system = psutil.Process(system.process.pid).children(recursive=True)
    return [process for process in of_system if text in " ".join(process.cmdline())]


def kill_child(system: System) -> None:
    """Kills the process that the job runs in."""
    workers = parts(system, "--name=worker")
    (child,) = [process for process in workers if process.parent() in workers]
    child.kill()


def until_progress(system: System, job_id: str, attempt: int) -> None:
    """Returns once this attempt at the job has made progress."""
    for update in system.client.watch(job_id):
        if isinstance(update, ProgressTick) and update.attempt == attempt:
            return
    pytest.fail("the job ended before")


def test_a_child_keeps_less_than_40_mb_of_its_own(media: Path, tmp_path: Path) -> None:
    """Whatever every child needs was loaded before they were forked, and is there once for all.

    Of two children: what the worker's main process changes after the fork is no longer shared with it, but
    with the other child, and no memory that one child more would cost.
    """
    with harken_up(tmp_path / "data", media, HARKEN_CONCURRENCY="2") as system:

        def most_of_its_own() -> int:
            # Each job is a moment at which its child gives back what is free, if it did not do so within a second.
            for name in ("piece.flac", "piece.mp3"):
                job = system.submit(name)
                system.follow(job.job_id)
                assert system.get(job.job_id).state == SUCCEEDED
            workers = parts(system, "--name=worker")
            children = [process for process in workers if process.parent() in workers]
            assert len(children) == 2
            return max(int(child.memory_full_info().uss) for child in children)

        eventually(lambda: most_of_its_own() < 40_000_000)


def test_a_job_whose_process_is_killed_runs_again(fragile: System) -> None:
    job = fragile.submit("1-hour.wav")
    until_progress(fragile, job.job_id, 1)

    kill_child(fragile)
    fragile.follow(job.job_id)

    done = fragile.get(job.job_id)
    assert (done.state, done.attempt) == (SUCCEEDED, 2)


def test_a_job_that_kills_its_process_again_and_again_fails_as_crashed(fragile: System) -> None:
    poison = fragile.submit("1-hour.wav")
    neighbour = fragile.submit("piece.mp3")
    for attempt in (1, 2):
        until_progress(fragile, poison.job_id, attempt)
        kill_child(fragile)

    fragile.follow(poison.job_id)
    fragile.follow(neighbour.job_id)

    failed = fragile.get(poison.job_id)
    assert (failed.state, failed.attempt) == (FAILED, 2)
    assert failed.error.kind == job_pb2.JobError.KIND_CRASHED
    assert "2 of 2 times" in failed.error.message
    assert fragile.get(neighbour.job_id).state == SUCCEEDED


def test_a_flushed_redis_loses_no_waiting_job(fragile: System) -> None:
    running = fragile.submit("1-hour.wav")
    until_progress(fragile, running.job_id, 1)
    waiting = [fragile.submit("piece.mp3").job_id for _ in range(3)]
    (server,) = parts(fragile, "redis-server")
    with Redis.from_url(f"unix://{server.cmdline()[0].partition('unixsocket:')[2]}") as redis:
        redis.flushall()

    for job_id in waiting:
        fragile.follow(job_id)

    assert {fragile.get(job_id).state for job_id in waiting} == {SUCCEEDED}
    fragile.follow(running.job_id)
    assert fragile.get(running.job_id).state == SUCCEEDED


def test_a_killed_redis_is_started_again_and_no_job_is_lost(fragile: System) -> None:
    job = fragile.submit("1-hour.wav")
    until_progress(fragile, job.job_id, 1)
    waiting = fragile.submit("piece.mp3")
    (redis,) = parts(fragile, "redis-server")

    redis.kill()

    # Transitions come from the database, so the watcher sees the end all the same.
    assert fragile.client.get_job(job.job_id).state is JobState.RUNNING
    fragile.follow(job.job_id)
    fragile.follow(waiting.job_id)
    assert fragile.get(job.job_id).state == SUCCEEDED
    assert fragile.get(waiting.job_id).state == SUCCEEDED


def test_a_killed_server_is_started_again_and_watchers_go_on(fragile: System) -> None:
    job = fragile.submit("1-hour.wav")
    updates = fragile.client.watch(job.job_id)
    next(update for update in updates if isinstance(update, ProgressTick))
    (server,) = parts(fragile, "harken.server")

    server.kill()
    list(updates)

    assert fragile.get(job.job_id).state == SUCCEEDED


def test_a_killed_system_leaves_nothing_behind_and_its_jobs_go_on_with_the_next_one(
    media: Path, tmp_path: Path
) -> None:
    with harken_up(tmp_path / "data", media, HARKEN_CONCURRENCY="1") as first:
        running = first.submit("1-hour.wav")
        until_progress(first, running.job_id, 1)
        waiting = first.submit("piece.mp3")
        all_of_it = parts(first, "")
        assert len(all_of_it) >= 8
        first.process.kill()
        eventually(lambda: not any(process.is_running() for process in all_of_it))

    with harken_up(tmp_path / "data", media, HARKEN_CONCURRENCY="1") as second:
        for job in (running, waiting):
            second.follow(job.job_id)
            assert second.get(job.job_id).state == SUCCEEDED


@pytest.fixture(scope="module")
def impatient(media: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system that gives a job two seconds, and its process four; it is warm."""
    with harken_up(
        tmp_path_factory.mktemp("impatient"),
        media,
        HARKEN_CONCURRENCY="1",
        HARKEN_TASK_SOFT_TIME_LIMIT="2",
        HARKEN_TASK_TIME_LIMIT="4",
    ) as running:
        running.follow(running.submit("piece.mp3").job_id)
        yield running


def test_a_job_that_takes_too_long_is_stopped_and_fails_as_timeout(impatient: System) -> None:
    job = impatient.submit("3-hours.wav")

    impatient.follow(job.job_id)

    failed = impatient.get(job.job_id)
    assert (failed.state, failed.attempt) == (FAILED, 1)
    assert failed.error.kind == job_pb2.JobError.KIND_TIMEOUT
    assert "2 s" in failed.error.message


def test_a_job_that_hears_nothing_is_killed_at_the_hard_limit(impatient: System) -> None:
    """As one in C code would: its process is stopped, so that no signal but the last reaches it."""
    job = impatient.submit("3-hours.wav")
    until_progress(impatient, job.job_id, 1)
    workers = parts(impatient, "--name=worker")
    (child,) = [process for process in workers if process.parent() in workers]
    child.suspend()

    impatient.follow(job.job_id)

    failed = impatient.get(job.job_id)
    assert (failed.state, failed.attempt) == (FAILED, 1)
    assert failed.error.kind == job_pb2.JobError.KIND_TIMEOUT
    assert "4 s" in failed.error.message
    # It was gone before its end was written.
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    neighbour = impatient.submit("piece.mp3", features=[Feature.FEATURE_MEDIA])
    impatient.follow(neighbour.job_id)
    assert impatient.get(neighbour.job_id).state == SUCCEEDED


@pytest.fixture
def unreadable() -> Path:
    """A file of Linux's own whose size is 4,096 bytes and whose reading fails with EIO."""
    for path in sorted(Path("/sys/devices").glob("[a-z]*/power/autosuspend_delay_ms")):
        try:
            path.read_bytes()
        except OSError as error:
            if error.errno == errno.EIO:
                return path
    pytest.skip("this machine has no file that fails with EIO (Linux has them in /sys/devices)")


def test_a_file_that_cannot_be_read_is_tried_again_and_then_fails_as_transient(
    unreadable: Path, tmp_path: Path
) -> None:
    with harken_up(tmp_path / "data", unreadable.parent, HARKEN_MAX_RETRIES="1") as system:
        job = system.submit(unreadable.name)

        messages = system.follow(job.job_id)

        failed = system.get(job.job_id)
    events = [event for message in messages for event in message.events.events]
    changes = [event.transition for event in events if event.HasField("transition")]
    assert [change.to for change in changes][-3:] == [QUEUED, RUNNING, FAILED]
    assert changes[-3].error.kind == job_pb2.JobError.KIND_TRANSIENT
    assert (failed.state, failed.attempt) == (FAILED, 2)
    assert failed.error.kind == job_pb2.JobError.KIND_TRANSIENT
    assert failed.error.reason == "IO_ERROR"
