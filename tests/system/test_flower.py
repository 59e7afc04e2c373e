"""Flower beside a running system: it shows the workers and the tasks, and what its buttons do is what the page says."""

import base64
import json
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import eventually
from tests.docs.test_operations import private_redis
from tests.system.conftest import HARKEN, SUCCEEDED, System, clean_environment, harken_up
from tests.system.test_two_servers import free_port

LOGIN = "ann:secret"
STARTED_WITHIN_S = 60


@dataclass(frozen=True)
class Flower:
    """A system and the Flower beside it."""

    system: System
    port: int

    def ask(self, path: str, method: str = "GET") -> Any:
        """What the API answers."""
        url = f"http://127.0.0.1:{self.port}/api/{path}"
        login = base64.b64encode(LOGIN.encode()).decode()
        headers = {"Authorization": f"Basic {login}"}
        request = urllib.request.Request(url, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def try_to_ask(self, path: str) -> Any:
        """The same; None while there is no answer."""
        try:
            return self.ask(path)
        except (OSError, urllib.error.HTTPError):
            return None


@pytest.fixture(scope="module")
def flower(media: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flower]:
    """A system with one slot, and Flower with its settings."""
    folder = tmp_path_factory.mktemp("flower")
    with harken_up(folder / "data", media, HARKEN_CONCURRENCY="1") as system:
        port = free_port()
        broker = private_redis(system).replace("unix://", "redis+socket://")
        environment = clean_environment(
            HARKEN_BROKER_URL=broker,
            HARKEN_DATABASE_URL=f"sqlite:///{system.data / 'harken.db'}",
            PATH=os.environ["PATH"],
        )
        with (folder / "flower.log").open("wb") as log:
            process = subprocess.Popen(
                [
                    *HARKEN,
                    "flower",
                    f"--port={port}",
                    "--address=127.0.0.1",
                    f"--basic-auth={LOGIN}",
                ],
                env=environment,
                cwd=folder,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            running = Flower(system, port)
            eventually(
                lambda: len(running.try_to_ask("workers?refresh=1") or ()) == 2, STARTED_WITHIN_S
            )
            yield running
        finally:
            process.terminate()
            process.wait(20)


def test_it_shows_the_workers_with_their_queues(flower: Flower) -> None:
    workers = flower.ask("workers?refresh=1")
    queues = {
        name.partition("@")[0]: {queue["name"] for queue in told["active_queues"]}
        for name, told in workers.items()
    }
    assert queues["maintenance"] == {"maintenance"}
    assert "audio_processing" in queues["worker"]


def test_a_job_is_a_task_of_the_same_id(flower: Flower) -> None:
    def of_a_job() -> str | None:
        # Workers send events from a few seconds after Flower's start on; it knows the name from the first of a task.
        job = flower.system.submit("piece.mp3")
        flower.system.follow(job.job_id)
        assert flower.system.get(job.job_id).state == SUCCEEDED
        return job.job_id if flower.ask("tasks").get(job.job_id, {}).get("name") else None

    job_id = eventually(of_a_job)

    def done() -> Any:
        told = flower.ask("tasks")[job_id]
        return told if told["state"] == "SUCCESS" else None

    task = eventually(done)

    assert isinstance(task, dict)
    assert task["name"] == "harken.analyze"
    assert task["worker"].startswith("worker@")
    assert "SUCCEEDED" in task["result"]


def test_its_revoke_does_nothing_and_says_what_does(flower: Flower) -> None:
    """Celery's own way discards every further message of the job, which waits for ever then."""
    running = flower.system.submit("1-hour.wav")
    flower.system.until_running(running.job_id)
    waiting = flower.system.submit("piece.mp3")
    for job, options in ((waiting, ""), (running, "?terminate=true&signal=SIGKILL")):
        flower.ask(f"task/revoke/{job.job_id}{options}", "POST")
    eventually(lambda: flower.system.log("worker").count("is not revoked: ") == 2)

    for job in (running, waiting):
        flower.system.follow(job.job_id)

    ended = [flower.system.get(job.job_id) for job in (running, waiting)]
    assert [(job.state, job.attempt) for job in ended] == [(SUCCEEDED, 1), (SUCCEEDED, 1)]


def test_a_worker_that_flower_shuts_down_is_started_again(flower: Flower) -> None:
    (name,) = [name for name in flower.ask("workers") if name.startswith("maintenance@")]
    ready = flower.system.log("maintenance").count("is ready")
    flower.ask(f"worker/shutdown/{name}", "POST")
    eventually(lambda: flower.system.log("maintenance").count("is ready") == ready + 1, 40)
