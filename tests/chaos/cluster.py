"""The whole system, part by part on this machine, with a proxy on each way between two parts."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from sqlalchemy import make_url, select

from harken.jobs.failpoint import VARIABLE, Point
from harken.jobs.store.database import Database
from harken.jobs.store.migrate import migrate
from harken.jobs.store.schema import JOBS
from tests.chaos.history import Death, Notes
from tests.chaos.parts import Part, RedisPart, ServerPart, WorkerPart, now
from tests.chaos.proxy import Proxy, proxied
from tests.system.test_two_servers import free_port

WORKERS = (("one", 2), ("two", 1))  # names, and the jobs that each runs at once
GRACE_S = 2
RESTART_AFTER_S = 0.3  # an operator's supervisor is not faster


@dataclass(kw_only=True)
class Cluster:
    """Its parts, and what the harness can do to them."""

    database_url: str  # past the proxy
    redis: RedisPart
    servers: list[ServerPart]
    workers: list[WorkerPart]
    to_servers: list[Proxy]
    to_redis: Proxy
    to_database: Proxy | None  # SQLite has no connections
    failpoints: Path
    notes: Notes

    @property
    def parts(self) -> list[Part]:
        """All parts, in the order in which they are started."""
        return [self.redis, *self.servers, *self.workers]

    @property
    def sqlite(self) -> bool:
        """Whether it runs on SQLite."""
        return self.database_url.startswith("sqlite")

    async def until_ready(self) -> None:
        """Returns once every part does its work."""
        await asyncio.gather(*(part.until_ready() for part in self.parts))

    async def keep(self) -> None:
        """Notes each death, and starts what has died again; for ever."""
        while True:
            for part in self.parts:
                code = part.process.poll()
                if code is not None:
                    self.notes.add(
                        Death(part=part.name, time=now(), code=code, killed=part.doomed > 0)
                    )
                    await asyncio.sleep(RESTART_AFTER_S)
                    part.start()
            await asyncio.sleep(0.02)

    def kill(self, part: Part) -> None:
        """Kills a part with all its processes."""
        for process in part.children():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        part.process.kill()

    def jobs_of(self, worker: WorkerPart) -> tuple[str, ...]:
        """The jobs that a worker holds."""
        query = select(JOBS.c.job_id).where(
            JOBS.c.worker.like(f"{worker.name}@%"), JOBS.c.state.in_(("RUNNING", "CANCELLING"))
        )
        with Database(self.database_url, pooled=False).read() as connection:
            return tuple(connection.execute(query).scalars())

    def arm(self, point: Point) -> None:
        """Whoever passes the point next dies."""
        (self.failpoints / point).touch()

    def is_armed(self, point: Point) -> bool:
        """Whether nobody has passed it yet."""
        return (self.failpoints / point).exists()

    def disarm(self, point: Point) -> bool:
        """Takes it back; False when somebody has died of it."""
        try:
            (self.failpoints / point).unlink()
        except FileNotFoundError:
            return False
        return True


@asynccontextmanager
async def running_cluster(
    database_url: str, media: Path, *, folder: Path, logs: Path, notes: Notes
) -> AsyncGenerator[Cluster]:
    """A system on an empty database, up and kept up within; `folder` has a short path, for sockets."""
    migrate(Database(database_url, pooled=False))
    failpoints = folder / "failpoints"
    failpoints.mkdir()
    redis = RedisPart(folder, logs)
    ports = [free_port() for _ in range(1 if database_url.startswith("sqlite") else 2)]
    async with contextlib.AsyncExitStack() as stack:
        to_redis = await stack.enter_async_context(proxied(redis.socket))
        to_servers = [await stack.enter_async_context(proxied(port)) for port in ports]
        to_database, url = None, database_url
        if not database_url.startswith("sqlite"):
            to_database = await stack.enter_async_context(proxied(socket_of(database_url)))
            url = through(database_url, to_database.port)
        environment = {
            "HARKEN_DATABASE_URL": url,
            "HARKEN_BROKER_URL": f"redis://127.0.0.1:{to_redis.port}/0",
            "HARKEN_MEDIA_ROOTS": str(media),
            "HARKEN_GRACE_PERIOD": str(GRACE_S),
            VARIABLE: str(failpoints),
        }
        cluster = Cluster(
            database_url=database_url,
            redis=redis,
            servers=[
                ServerPart(f"server-{number}", port, logs, environment)
                for number, port in enumerate(ports, 1)
            ],
            workers=[WorkerPart(name, slots, logs, environment) for name, slots in WORKERS],
            to_servers=to_servers,
            to_redis=to_redis,
            to_database=to_database,
            failpoints=failpoints,
            notes=notes,
        )
        try:
            for part in cluster.parts:
                part.start()
            keeping = asyncio.create_task(cluster.keep())
            try:
                await cluster.until_ready()
                yield cluster
            finally:
                keeping.cancel()
                await asyncio.gather(keeping, return_exceptions=True)
        finally:
            for part in reversed(cluster.parts):
                await asyncio.to_thread(part.stop)


def socket_of(url: str) -> Path:
    """The unix socket behind a PostgreSQL URL."""
    return Path(str(make_url(url).query["host"]), ".s.PGSQL.5432")


def through(url: str, port: int) -> str:
    """The URL by way of a port of this machine."""
    direct = make_url(url)
    return direct.set(host="127.0.0.1", port=port, query={}).render_as_string(hide_password=False)
