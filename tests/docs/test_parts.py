"""The parts that the page on operations starts by hand make a system that works."""

import os
import shlex
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from harken.client import Client, Reconnect
from harken.client.errors import ServerUnavailable
from tests.conftest import eventually, new_postgresql_database, running_redis
from tests.docs.examples import Example, examples
from tests.system.conftest import clean_environment
from tests.system.test_two_servers import free_port

PARTS = [example for example in examples("sh") if example.text.startswith("export ")]
LISTEN = "127.0.0.1:50051"
FLOWER = "--port=5555"


@contextmanager
def running(line: str, environment: dict[str, str], folder: Path) -> Generator[None]:
    """A part for as long as the context is open."""
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            shlex.split(line), env=environment, cwd=folder, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def workers_of(client: Client) -> list[str]:
    """The names of the workers, none while the server does not answer."""
    try:
        return [worker.name for worker in client.inspect_workers()]
    except ServerUnavailable:
        return []


@pytest.mark.parametrize("example", PARTS, ids=lambda example: example.place)
def test_the_parts_of_the_page_analyse_a_file(
    example: Example, postgresql: str, music: Path, tmp_path: Path
) -> None:
    address = f"127.0.0.1:{free_port()}"
    lines = example.text.replace(LISTEN, address).replace(FLOWER, f"--port={free_port()}")
    exported = [line.split()[1] for line in lines.splitlines() if line.startswith("export ")]
    variables = dict(line.split("=", 1) for line in exported)
    commands = [line for line in lines.splitlines() if not line.startswith("export ")]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    with ExitStack() as parts:
        given = {
            "HARKEN_DATABASE_URL": parts.enter_context(new_postgresql_database(postgresql)),
            "HARKEN_BROKER_URL": parts.enter_context(running_redis()),
            "HARKEN_MEDIA_ROOTS": str(music),
        }
        assert variables.keys() == given.keys()
        environment = clean_environment(**given, PATH=path, HARKEN_GRACE_PERIOD="2")
        assert commands.pop(0) == "harken migrate"
        subprocess.run(["harken", "migrate"], env=environment, cwd=tmp_path, check=True)
        for line in commands:
            parts.enter_context(running(line, environment, tmp_path))
        workers = sum(" worker" in line for line in commands)
        with Client(address, reconnect=Reconnect(give_up_after=0)) as client:
            eventually(lambda: len(workers_of(client)) == workers, within_s=60)
            assert client.submit("song.flac", features=["media"]).result(30).media is not None


def test_there_are_two_such_lists() -> None:
    assert len(PARTS) == 2
