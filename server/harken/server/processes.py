"""Several server processes on one port: this one supervises, the others serve.

They are started anew, never forked: neither gRPC nor connections to the database survive a fork. The kernel shares
connections out among them; one that dies is started again, after a pause that grows while it keeps dying. They end with
this process, however that ends: it holds the other end of their standard input.
"""

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import replace

from sqlalchemy import make_url

from harken.server.serve import CannotListen
from harken.settings import SUFFIX, Settings, at_place, secret_names

LOG = logging.getLogger(__name__)

WATCH_EVERY_S = 0.1
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
STAYED_UP_S = 60.0  # one that lived for so long had no fault of its start
STOPPED_WITHIN_S = 5.0  # beyond the grace period


class CannotShare(Exception):
    """Several processes cannot serve with these settings."""


def restart_pause_s(deaths: int) -> float:
    """The pause before a process is started again that has died so many times in a row (1, 2 …)."""
    return min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(deaths - 1, 30))


def serve_in_processes(settings: Settings, number: int) -> None:
    """Serves in several processes until SIGTERM or SIGINT. Raises CannotShare and CannotListen."""
    _check(settings)
    stop = threading.Event()
    for signalled in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signalled, lambda *_: stop.set())
    with _shared_port(settings.listen) as address:
        shared = replace(settings, listen=address)
        processes = [_Process(place, shared) for place in range(1, number + 1)]
        LOG.info("%d server processes share %s", number, address)
        try:
            while not stop.wait(WATCH_EVERY_S):
                for process in processes:
                    process.watch()
        finally:
            LOG.info("stopping %d server processes", number)
            for process in processes:
                process.terminate()
            give_up = time.monotonic() + settings.grace_period_s + STOPPED_WITHIN_S
            for process in processes:
                process.wait(max(give_up - time.monotonic(), 0))


class _Process:
    """One of the processes, at its place among them."""

    def __init__(self, place: int, settings: Settings) -> None:
        self._place = place
        own = replace(settings, metrics_listen=at_place(settings.metrics_listen, place - 1))
        # The settings have what is in files: with both, the process would not know which to take.
        files = {name + SUFFIX for name in secret_names()}
        kept = {name: value for name, value in os.environ.items() if name not in files}
        self._environment = {**kept, **own.to_environment()}
        self._deaths = 0
        self._again_at: float | None = None
        self._start()

    def watch(self) -> None:
        """Starts the process again some time after it has ended."""
        now = time.monotonic()
        if self._again_at is not None:
            if now >= self._again_at:
                self._start()
            return
        code = self._process.poll()
        if code is None:
            return
        self._close_input()
        self._deaths = 1 if now - self._started_at > STAYED_UP_S else self._deaths + 1
        pause_s = restart_pause_s(self._deaths)
        LOG.error(
            "server process %d ended with %d: started again in %.1f s", self._place, code, pause_s
        )
        self._again_at = now + pause_s

    def terminate(self) -> None:
        """Asks the process to end."""
        self._process.terminate()

    def wait(self, within_s: float) -> None:
        """Waits for the process to end, and kills it when it has not in time."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(within_s)
        self._process.kill()
        self._process.wait()
        self._close_input()

    def _start(self) -> None:
        self._again_at = None
        self._started_at = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "harken.server", "--one-of-several"],
            env=self._environment,
            stdin=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for this process, which passes it on
        )

    def _close_input(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()


def _check(settings: Settings) -> None:
    if make_url(settings.database_url).get_backend_name() == "sqlite":
        raise CannotShare(
            "Several server processes need PostgreSQL: SQLite's file has one writer. Set"
            " HARKEN_DATABASE_URL=postgresql://…, or leave out --processes."
        )
    if settings.listen.startswith("unix:"):
        raise CannotShare(
            "Several server processes share a port, not a unix socket: give --listen HOST:PORT."
        )


@contextmanager
def _shared_port(address: str) -> Generator[str]:
    """The address with a port that the processes share, held for them while they come and go. Raises CannotListen."""
    host, _, port = address.rpartition(":")
    try:
        found = socket.getaddrinfo(
            host.strip("[]") or None, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (OSError, ValueError) as error:
        raise CannotListen(address, "it is no HOST:PORT of this machine") from error
    family, kind, _, _, place = found[0]
    with socket.socket(family, kind) as alone, socket.socket(family, kind) as held:
        try:
            # Nobody else may listen there, also not somebody who shares ports.
            alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            alone.bind(place)
            place = (place[0], alone.getsockname()[1], *place[2:])
            alone.close()
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            held.bind(place)
        except OSError as error:
            raise CannotListen(address, os.strerror(error.errno or 0)) from error
        yield f"{host}:{held.getsockname()[1]}"
