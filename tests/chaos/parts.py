"""The parts of a system as processes, each started as an operator would, and again when it has ended."""

import asyncio
import re
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import grpc
import psutil
from grpc_health.v1.health_pb2 import HealthCheckRequest
from grpc_health.v1.health_pb2_grpc import HealthStub
from redis.asyncio import Redis
from redis.exceptions import RedisError

from harken.embedded.redis_server import find_redis, redis_command
from tests.system.conftest import clean_environment

READY_WITHIN_S = 120.0  # where the engine is not compiled yet it takes the most of this
LOOK_EVERY_S = 0.05
FIRST_MOMENTS_S = 0.3


class Part(ABC):
    """One process and its log."""

    def __init__(self, name: str, command: list[str], logs: Path, environment: Mapping[str, str]):
        self.name = name
        self.log = logs / f"{name}.log"
        self.doomed = 0  # how many faults are at it: then its death is no news
        self._command = command
        self._environment = clean_environment(**environment)
        self._log_from = 0
        self.process: subprocess.Popen[bytes]

    def start(self) -> None:
        """Starts the process."""
        with self.log.open("ab") as output:
            self._log_from = output.tell()
            self.process = subprocess.Popen(
                self._command,
                env=self._environment,
                cwd=self.log.parent,  # where bytes are stored, unless told otherwise
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def pid(self) -> int:
        """The process's number."""
        return self.process.pid

    def said(self) -> str:
        """What it has logged since it was started last."""
        with self.log.open("rb") as log:
            log.seek(self._log_from)
            return log.read().decode(errors="replace")

    async def until_ready(self) -> None:
        """Returns once it does its work. Raises TimeoutError."""
        async with asyncio.timeout(READY_WITHIN_S):
            await until(lambda: self.process.poll() is None)
            await until(self.is_ready)

    @abstractmethod
    async def is_ready(self) -> bool:
        """Whether it does its work."""

    def stop(self) -> None:
        """Ends it in order, or else by force."""
        self.doomed += 1
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            for child in self.children():
                child.kill()
            self.process.kill()
            self.process.wait()

    def children(self) -> list[psutil.Process]:
        """Its own processes."""
        try:
            return psutil.Process(self.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []


class RedisPart(Part):
    """A Redis on a unix socket, which begins with what is in its dump, if there is one."""

    def __init__(self, folder: Path, logs: Path) -> None:
        self.socket = folder / "redis.sock"
        self.dump = folder / "dump.rdb"
        super().__init__("redis", redis_command(find_redis(), self.socket), logs, {})

    def client(self) -> Redis:
        """A connection past all proxies."""
        return Redis.from_url(f"unix://{self.socket}", socket_timeout=2)

    async def is_ready(self) -> bool:
        """It answers."""
        async with self.client() as redis:
            try:
                return bool(await redis.ping())
            except (RedisError, OSError):
                return False


class ServerPart(Part):
    """A `harken serve`."""

    def __init__(self, name: str, port: int, logs: Path, environment: Mapping[str, str]) -> None:
        self.port = port
        command = [sys.executable, "-m", "harken.server", "--listen", f"127.0.0.1:{port}"]
        super().__init__(name, command, logs, environment)

    async def is_ready(self) -> bool:
        """Its health check says so."""
        async with grpc.aio.insecure_channel(f"127.0.0.1:{self.port}") as channel:
            try:
                await HealthStub(channel).Check(HealthCheckRequest(), timeout=1)
            except grpc.aio.AioRpcError:
                return False
            return True


class WorkerPart(Part):
    """A `harken worker`."""

    READY = re.compile(r"worker \S+ is ready: queues")

    def __init__(
        self, name: str, concurrency: int, logs: Path, environment: Mapping[str, str]
    ) -> None:
        self.concurrency = concurrency
        command = [sys.executable, "-m", "harken.tasks", "worker", f"--name={name}"]
        super().__init__(name, [*command, f"--concurrency={concurrency}"], logs, environment)

    async def until_ready(self) -> None:
        """Returns once it takes jobs, and a child may die: in its first moments Celery gives up over that."""
        await super().until_ready()
        await asyncio.sleep(FIRST_MOMENTS_S)

    async def is_ready(self) -> bool:
        """It has said so."""
        return self.READY.search(self.said()) is not None

    def slots(self) -> list[psutil.Process]:
        """The processes in which it runs jobs."""
        return self.children()


async def until(condition: Callable[[], bool | Awaitable[bool]]) -> None:
    """Returns once it is so: for what other processes do, which sets no event here."""
    while True:
        found = condition()
        if found if isinstance(found, bool) else await found:
            return
        await asyncio.sleep(LOOK_EVERY_S)


def now() -> float:
    """The time, as histories have it."""
    return time.time()
