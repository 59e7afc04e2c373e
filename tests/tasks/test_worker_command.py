"""`harken worker` tells by its exit code how it ended, so that a supervisor starts it again."""

import os
import resource
import signal
import subprocess
from pathlib import Path

import pytest

from harken.jobs.store.database import Database
from harken.jobs.store.migrate import migrate

FEW_FILES = 60  # enough for one process and its libraries, and too few for the pipes of forty


@pytest.fixture
def environment(redis: str, tmp_path: Path) -> dict[str, str]:
    """A database and a broker for a worker."""
    url = f"sqlite:///{tmp_path / 'harken.db'}"
    migrate(Database(url, pooled=False))
    return {**os.environ, "HARKEN_DATABASE_URL": url, "HARKEN_BROKER_URL": redis}


def worker(python: str, *options: str) -> list[str]:
    return [python, "-m", "harken.tasks", "worker", "--queues=maintenance", *options]


def test_a_worker_that_cannot_go_on_ends_with_a_failure(
    python: str, environment: dict[str, str]
) -> None:
    ended = subprocess.run(
        worker(python, "--concurrency=40"),
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (FEW_FILES, FEW_FILES)),
    )

    assert "Too many open files" in ended.stderr
    assert ended.returncode == 1


def test_a_worker_that_is_told_to_stop_ends_well(python: str, environment: dict[str, str]) -> None:
    with subprocess.Popen(
        worker(python, "--concurrency=1"), env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "is ready: queues" in line:
                process.send_signal(signal.SIGTERM)
                break
        process.stderr.read()
    assert process.returncode == 0
