"""The embedded system: which parts it has, and the order in which they start and stop."""

import os
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from harken.embedded.data_folder import DataFolder
from harken.embedded.leash import Leash
from harken.embedded.part import Part
from harken.embedded.ready import is_ready
from harken.embedded.redis_server import find_redis, redis_command, redis_socket_url
from harken.jobs.store.database import Database
from harken.server.serve import CannotListen, prepare
from harken.settings import SUFFIX, VARIABLES, Settings, at_place, secret_names
from harken.tasks.queues import ANALYSIS_QUEUES, AUDIO, MAINTENANCE

READY_WITHIN_S = 180.0  # a first start compiles the engine's loops
LOOK_EVERY_S = 0.05
WATCH_EVERY_S = 0.2
STOPPED_WITHIN_S = 5.0  # beyond the grace period


REDIS, SERVER, WORKER, HOUSEKEEPER, BEAT = "redis", "server", "worker", "maintenance", "beat"
STOP_ORDER = ((WORKER, HOUSEKEEPER, BEAT), (SERVER,), (REDIS,))


class NotReady(Exception):
    """The parts run, but the system did not become ready."""


class System:
    """All parts, started within its context and stopped at its end."""

    def __init__(self, settings: Settings, folder: DataFolder, leash: Leash) -> None:
        self.address = free_address(settings.listen)
        self._folder = folder
        self._leash = leash
        # A socket's path has at most 107 bytes, so it cannot be in the data folder.
        self._runtime = Path(tempfile.mkdtemp(prefix="harken-"))
        leash.remove(str(self._runtime))
        self._socket = self._runtime / "redis.sock"
        self._settings = replace(settings, listen=self.address)
        self._parts: list[Part] = []

    def start(self) -> None:
        """Starts all parts; returns when the system is ready. Raises PartFailed, NotReady, CannotListen."""
        if not self._settings.broker_url:
            url = redis_socket_url(self._socket)
            backend = self._settings.result_backend or url
            self._settings = replace(self._settings, broker_url=url, result_backend=backend)
            redis = self._add(REDIS, redis_command(find_redis(), self._socket))
            self._wait(self._socket.exists, redis)
        prepare(self._settings)
        python = [sys.executable, "-m"]
        self._add(SERVER, [*python, "harken.server"])
        self._add(WORKER, [*python, "harken.tasks", *_worker(WORKER, ANALYSIS_QUEUES)], place=1)
        housekeeper = [*_worker(HOUSEKEEPER, (MAINTENANCE,)), "--concurrency=1"]
        self._add(HOUSEKEEPER, [*python, "harken.tasks", *housekeeper], place=2)
        schedule = self._folder.path / "beat-schedule"
        self._add(BEAT, [*python, "harken.tasks", "beat", f"--schedule={schedule}"])
        tls = bool(self._settings.tls_cert)
        with closing(Database(self._settings.database_url, pooled=False)) as database:
            self._wait(lambda: is_ready(self.address, database, AUDIO, tls=tls), *self._parts)

    def watch(self, stop: threading.Event) -> Iterator[str]:
        """Keeps the parts up until `stop` is set; yields the names of those it had to start again."""
        while not stop.wait(WATCH_EVERY_S):
            for part in self._parts:
                if part.watch():
                    yield part.name

    def stop(self) -> None:
        """Stops all parts: workers and beat first, then the server, which they tell, then Redis."""
        give_up = time.monotonic() + self._settings.grace_period_s + STOPPED_WITHIN_S
        for names in STOP_ORDER:
            parts = [part for part in self._parts if part.name in names]
            for part in parts:
                part.terminate()
            for part in parts:
                part.wait(max(give_up - time.monotonic(), STOPPED_WITHIN_S))
        shutil.rmtree(self._runtime, ignore_errors=True)

    def _add(self, name: str, command: list[str], *, place: int = 0) -> Part:
        metrics_listen = at_place(self._settings.metrics_listen, place)
        part = Part(
            name,
            command,
            log=self._folder.log_file(name),
            env=part_environment(
                os.environ, replace(self._settings, metrics_listen=metrics_listen)
            ),
            leash=self._leash,
        )
        self._parts.append(part)
        part.start()
        return part

    def _wait(self, condition: Callable[[], bool], *parts: Part) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        while not condition():
            for part in parts:
                part.fail_if_ended()
            if time.monotonic() > deadline:
                logs = self._folder.path / "logs"
                raise NotReady(f"Not ready after {READY_WITHIN_S:g} s. The logs are in {logs}.")
            time.sleep(LOOK_EVERY_S)


@contextmanager
def running_system(settings: Settings, folder: DataFolder) -> Generator[System]:
    """A system that is ready within, and stopped at the end; killed with this process if it comes to that."""
    with Leash() as leash:
        system = System(settings, folder, leash)
        try:
            system.start()
            yield system
        finally:
            system.stop()


def part_environment(environment: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """The environment of a part: this one, without what Celery or harken would read another setting from."""
    strange = {name for variable in VARIABLES for name in variable.fallbacks}
    # The settings have what is in the files: with both, a part would not know which to take.
    strange |= {name + SUFFIX for name in secret_names()}
    kept = {name: value for name, value in environment.items() if name not in strange}
    return {**kept, **settings.to_environment()}


def free_address(address: str) -> str:
    """The address, with a free port in place of port 0: a part that is started again keeps its place.

    Raises CannotListen when it is taken, before anything is started.
    """
    host, _, port = address.rpartition(":")
    if address.startswith("unix:") or not port.isdigit():
        return address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), int(port)))
        except OSError as error:
            raise CannotListen(address, os.strerror(error.errno or 0)) from error
        return f"{host}:{probe.getsockname()[1]}"


def _worker(name: str, queues: tuple[str, ...]) -> list[str]:
    return ["worker", f"--name={name}", f"--queues={','.join(queues)}"]
