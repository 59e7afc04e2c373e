"""What breaks, and what is left of it: a killed child, a killed system, a Redis that loses everything."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from redis import Redis

from harken.client import JobState, ProgressTick
from harken.v1 import job_pb2
from tests.conftest import eventually
from tests.system.conftest import FAILED, SUCCEEDED, System, harken_up


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


def test_a_job_whose_process_is_killed_runs_again(fragile: System) -> None:
    job = fragile.submit("20-minutes.wav")
    until_progress(fragile, job.job_id, 1)

    kill_child(fragile)
    fragile.follow(job.job_id)

    done = fragile.get(job.job_id)
    assert (done.state, done.attempt) == (SUCCEEDED, 2)


def test_a_job_that_kills_its_process_again_and_again_fails_as_crashed(fragile: System) -> None:
    poison = fragile.submit("20-minutes.wav")
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
    running = fragile.submit("20-minutes.wav")
    until_progress(fragile, running.job_id, 1)
    waiting = [fragile.submit("piece.mp3").job_id for _ in range(3)]
    (server,) = parts(fragile, "redis-server")
    with Redis.from_url(f"unix://{server.cmdline()[0].partition('unixsocket:')[2]}") as redis:
        eventually(lambda: redis.exists("harken:epoch"))
        redis.flushall()

    for job_id in waiting:
        fragile.follow(job_id)

    assert {fragile.get(job_id).state for job_id in waiting} == {SUCCEEDED}
    fragile.follow(running.job_id)
    assert fragile.get(running.job_id).state == SUCCEEDED


def test_a_killed_redis_is_started_again_and_no_job_is_lost(fragile: System) -> None:
    job = fragile.submit("20-minutes.wav")
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
    job = fragile.submit("20-minutes.wav")
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
        running = first.submit("20-minutes.wav")
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
