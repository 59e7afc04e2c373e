"""`harken up`: it starts, says where it is, takes no folder or port that is taken, and leaves nothing running."""

import os
import signal
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from harken.embedded.redis_server import find_redis
from tests.conftest import eventually, running_redis
from tests.system.conftest import HARKEN, SUCCEEDED, System, clean_environment, harken_up


@pytest.fixture(scope="module")
def running(media: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A running system that the tests of this file do not change."""
    with harken_up(tmp_path_factory.mktemp("up") / "data", media) as system:
        yield system


def up(data: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A `harken up` that is expected to give up by itself."""
    return subprocess.run(
        [*HARKEN, "up", "--data-dir", str(data), *options],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=clean_environment(**environment),
    )


def test_everything_is_in_one_folder_that_only_its_owner_can_read(running: System) -> None:
    assert {path.name for path in running.data.iterdir()} >= {"harken.db", "lock", "logs"}
    assert running.data.stat().st_mode & 0o077 == 0


def test_a_second_one_on_the_same_folder_is_told_who_has_it(running: System) -> None:
    second = up(running.data, "--listen", "127.0.0.1:0")

    assert second.returncode == 1
    assert f"process {running.process.pid}" in second.stderr
    assert "--data-dir" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_taken_port_is_told_before_anything_is_started(running: System, tmp_path: Path) -> None:
    second = up(tmp_path / "data", "--listen", running.address)

    assert second.returncode == 1
    assert running.address in second.stderr
    assert "--listen" in second.stderr
    assert "Traceback" not in second.stderr
    assert not list((tmp_path / "data" / "logs").iterdir())


def test_workers_take_jobs_and_maintenance_has_a_slot_of_its_own(running: System) -> None:
    workers = {worker.name.partition("@")[0]: worker for worker in running.client.inspect_workers()}

    assert set(workers) == {"worker", "maintenance"}
    assert workers["maintenance"].queues == ("maintenance",)
    assert workers["maintenance"].concurrency == 1
    assert "audio_processing" in workers["worker"].queues
    assert workers["worker"].concurrency == os.cpu_count()


def test_a_stray_database_url_is_not_touched(media: Path, tmp_path: Path) -> None:
    stray = tmp_path / "stray.db"
    environment = {
        "DATABASE_URL": f"sqlite:///{stray}",
        "CELERY_BROKER_URL": "redis://127.0.0.1:1/0",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }

    with harken_up(tmp_path / "data", media, **environment) as system:
        system.follow(system.submit("piece.mp3").job_id)

    assert not stray.exists()
    assert (tmp_path / "data" / "harken.db").exists()


def test_a_redis_and_a_database_given_by_url_are_used(media: Path, tmp_path: Path) -> None:
    database = tmp_path / "given.db"
    with (
        running_redis() as redis,
        harken_up(
            tmp_path / "data",
            media,
            HARKEN_BROKER_URL=redis,
            HARKEN_DATABASE_URL=f"sqlite:///{database}",
        ) as system,
    ):
        job = system.submit("piece.mp3")
        system.follow(job.job_id)
        assert system.get(job.job_id).state == SUCCEEDED
        own = psutil.Process(system.process.pid).children(recursive=True)
        assert not [process for process in own if "redis-server" in process.name()]

    with sqlite3.connect(database) as connection:
        (jobs,) = connection.execute("SELECT count(*) FROM harken_jobs").fetchone()
    connection.close()
    assert jobs == 1
    assert not (tmp_path / "data" / "harken.db").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_stops_every_process_and_leaves_no_socket(
    media: Path, tmp_path: Path, number: signal.Signals
) -> None:
    with harken_up(tmp_path / "data", media) as system:
        job = system.submit("piece.mp3")
        system.follow(job.job_id)
        own = psutil.Process(system.process.pid).children(recursive=True)
        (redis,) = [process for process in own if "redis-server" in process.name()]
        runtime = Path(redis.cmdline()[0].partition("unixsocket:")[2]).parent
        assert runtime.stat().st_mode & 0o077 == 0

        system.process.send_signal(number)
        code = system.process.wait(40)

    assert code == 0
    assert not [process for process in own if process.is_running()]
    assert not runtime.exists()


def test_ctrl_c_during_a_long_job_hands_it_back_and_the_next_start_finishes_it(
    media: Path, tmp_path: Path
) -> None:
    grace = {"HARKEN_GRACE_PERIOD": "0"}
    with harken_up(tmp_path / "data", media, **grace) as first:
        job = first.submit("1-hour.wav")
        first.until_running(job.job_id)

    with harken_up(tmp_path / "data", media, **grace) as second:
        second.follow(job.job_id)
        done = second.get(job.job_id)

    assert (done.state, done.attempt) == (SUCCEEDED, 2)


def test_a_part_that_does_not_stay_up_ends_the_whole_with_the_end_of_its_log(
    tmp_path: Path,
) -> None:
    failed = up(
        tmp_path / "data",
        "--listen",
        "127.0.0.1:0",
        HARKEN_BROKER_URL="nonsense://nowhere",
        HARKEN_RESULT_BACKEND="redis://127.0.0.1:1/0",
    )

    assert failed.returncode == 1
    assert "does not stay up" in failed.stderr
    assert ".log" in failed.stderr


def test_a_variable_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    failed = up(tmp_path / "data", HARKEN_CONCURRENCY="many")

    assert failed.returncode == 2
    assert "HARKEN_CONCURRENCY" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_the_redis_that_is_brought_along_is_found() -> None:
    assert os.access(find_redis(), os.X_OK)


def test_a_port_is_free_again_at_once_after_the_end(media: Path, tmp_path: Path) -> None:
    with harken_up(tmp_path / "data", media) as system:
        port = int(system.address.rpartition(":")[2])

    def free() -> bool:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
            return True

    eventually(free, within_s=2)
