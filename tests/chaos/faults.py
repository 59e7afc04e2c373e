"""The faults. Each strikes, waits until everything is up again, and says which jobs ran where it struck."""

import asyncio
import shutil
import signal
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from random import Random

import psutil
from redis.exceptions import RedisError
from sqlalchemy import make_url

from harken.jobs.failpoint import Point
from tests.chaos.cluster import Cluster
from tests.chaos.parts import Part, WorkerPart, until
from tests.chaos.proxy import Proxy

Jobs = tuple[str, ...]
# None where there was nothing to strike.
Act = Callable[[Cluster, Random], Awaitable[Jobs | None]]

BRIEF_S = (0.3, 3.0)  # how long something is stopped or held up
PAST_LEASE_S = (17.0, 20.0)  # long enough for its jobs to be given to others
ARMED_S = 4.0  # how long a failpoint waits for somebody to pass
SNAPSHOT_AGE_S = (1.0, 3.0)
# What passes each point: the work of a worker's child, or that of a server.
OF_A_CHILD = (Point.CLAIM, Point.CLAIMED, Point.COMPUTED, Point.RESULT, Point.ENDED)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of fault, and the part whose bound counts for it."""

    part: str
    act: Act
    sqlite: bool = True
    postgresql: bool = True


FAULTS: dict[str, Kind] = {}


def fault(name: str, part: str, *, sqlite: bool = True, postgresql: bool = True):
    """Enters a fault under its name."""

    def enter(act: Act) -> Act:
        FAULTS[name] = Kind(part=part, act=act, sqlite=sqlite, postgresql=postgresql)
        return act

    return enter


def kinds(database: str) -> list[str]:
    """The names of the faults that a database knows."""
    return [name for name, kind in FAULTS.items() if getattr(kind, database)]


@fault("kill-child", "child")
async def _kill_child(cluster: Cluster, chance: Random) -> Jobs | None:
    found = _steady(cluster, chance)
    if found is None:
        return None
    worker, child = found
    victims = await asyncio.to_thread(cluster.jobs_of, worker)
    with suppress(psutil.NoSuchProcess):
        child.kill()
    return victims


@fault("stop-child", "child")
async def _stop_child(cluster: Cluster, chance: Random) -> Jobs | None:
    found = _steady(cluster, chance)
    if found is None:
        return None
    await _suspended([found[1]], chance.uniform(*BRIEF_S))
    return ()


@fault("kill-worker", "worker")
async def _kill_worker(cluster: Cluster, chance: Random) -> Jobs:
    worker = chance.choice(cluster.workers)
    victims = await asyncio.to_thread(cluster.jobs_of, worker)
    await _killed(cluster, worker)
    return victims


@fault("kill-worker-main", "worker")
async def _kill_worker_main(cluster: Cluster, chance: Random) -> Jobs:
    """Its children live on for a moment, and may write."""
    worker = chance.choice(cluster.workers)
    victims = await asyncio.to_thread(cluster.jobs_of, worker)
    children = worker.slots()
    await _signalled(worker, signal.SIGKILL)
    for child in children:
        with suppress(psutil.NoSuchProcess):
            child.kill()
    return victims


@fault("stop-worker", "worker")
async def _stop_worker(cluster: Cluster, chance: Random) -> Jobs:
    await _stopped(chance.choice(cluster.workers), chance.uniform(*BRIEF_S))
    return ()


@fault("zombie-worker", "worker")
async def _zombie_worker(cluster: Cluster, chance: Random) -> Jobs:
    """It stands still until its jobs are given to others, and goes on where it was."""
    await _stopped(chance.choice(cluster.workers), chance.uniform(*PAST_LEASE_S))
    return ()


@fault("restart-worker", "worker")
async def _restart_worker(cluster: Cluster, chance: Random) -> Jobs:
    await _signalled(chance.choice(cluster.workers), signal.SIGTERM)
    return ()


@fault("kill-server", "server")
async def _kill_server(cluster: Cluster, chance: Random) -> Jobs:
    await _killed(cluster, chance.choice(cluster.servers))
    return ()


@fault("stop-server", "server")
async def _stop_server(cluster: Cluster, chance: Random) -> Jobs:
    await _stopped(chance.choice(cluster.servers), chance.uniform(*BRIEF_S))
    return ()


@fault("restart-server", "server")
async def _restart_server(cluster: Cluster, chance: Random) -> Jobs:
    await _signalled(chance.choice(cluster.servers), signal.SIGTERM)
    return ()


@fault("kill-redis", "redis")
async def _kill_redis(cluster: Cluster, chance: Random) -> Jobs:
    """It comes back empty."""
    cluster.redis.dump.unlink(missing_ok=True)
    await _killed(cluster, cluster.redis)
    return ()


@fault("stop-redis", "redis")
async def _stop_redis(cluster: Cluster, chance: Random) -> Jobs:
    await _stopped(cluster.redis, chance.uniform(*BRIEF_S))
    return ()


@fault("flush-redis", "redis")
async def _flush_redis(cluster: Cluster, chance: Random) -> Jobs | None:
    try:
        async with cluster.redis.client() as redis:
            await redis.flushall()
    except RedisError:
        return None  # another fault has it down just now
    return ()


@fault("restore-redis", "redis")
async def _restore_redis(cluster: Cluster, chance: Random) -> Jobs:
    """It comes back with a snapshot: it has what is done, and has not what came since."""
    async with cluster.redis.client() as redis:
        await redis.save()
    old = cluster.redis.dump.with_suffix(".old")
    shutil.move(cluster.redis.dump, old)
    await asyncio.sleep(chance.uniform(*SNAPSHOT_AGE_S))
    shutil.move(old, cluster.redis.dump)
    await _killed(cluster, cluster.redis)
    cluster.redis.dump.unlink(missing_ok=True)
    return ()


@fault("cut-clients", "link")
async def _cut_clients(cluster: Cluster, chance: Random) -> Jobs:
    chance.choice(cluster.to_servers).cut()
    return ()


@fault("cut-redis", "link")
async def _cut_redis(cluster: Cluster, chance: Random) -> Jobs:
    cluster.to_redis.cut()
    return ()


@fault("hold-redis", "link")
async def _hold_redis(cluster: Cluster, chance: Random) -> Jobs:
    await _held(cluster.to_redis, chance)
    return ()


@fault("cut-database", "database", sqlite=False)
async def _cut_database(cluster: Cluster, chance: Random) -> Jobs:
    assert cluster.to_database is not None
    cluster.to_database.cut()
    return ()


@fault("hold-database", "database", sqlite=False)
async def _hold_database(cluster: Cluster, chance: Random) -> Jobs:
    assert cluster.to_database is not None
    await _held(cluster.to_database, chance)
    return ()


@fault("lock-database", "database", postgresql=False)
async def _lock_database(cluster: Cluster, chance: Random) -> Jobs:
    """Another program writes to the file, and takes its time."""
    pause_s = chance.uniform(*BRIEF_S)
    await asyncio.to_thread(_lock, str(make_url(cluster.database_url).database), pause_s)
    return ()


def _failpoint(point: Point) -> None:
    part = "child" if point in OF_A_CHILD else "server"

    @fault(f"fail-{point}", part)
    async def die(cluster: Cluster, _: Random) -> Jobs | None:
        at_risk = cluster.servers if part == "server" else []
        before = {server: server.pid for server in at_risk}
        for server in at_risk:
            server.doomed += 1
        cluster.arm(point)
        with suppress(TimeoutError):
            async with asyncio.timeout(ARMED_S):
                await until(lambda: not cluster.is_armed(point))
        passed = not cluster.disarm(point)
        if passed and at_risk:
            await until(lambda: any(server.pid != before[server] for server in at_risk))
            await asyncio.gather(*(server.until_ready() for server in at_risk))
        for server in at_risk:
            server.doomed -= 1
        return () if passed else None


for each in Point:
    _failpoint(each)


def _steady(cluster: Cluster, chance: Random) -> tuple[WorkerPart, psutil.Process] | None:
    """A worker that no other fault is at, and one of its processes."""
    steady = [
        (worker, child)
        for worker in cluster.workers
        if not worker.doomed
        for child in worker.slots()
    ]
    return chance.choice(steady) if steady else None


async def _killed(cluster: Cluster, part: Part) -> None:
    """Kills a part with all its processes, as the loss of its machine would, and waits for the next one."""
    part.doomed += 1
    before = part.pid
    cluster.kill(part)
    await until(lambda: part.pid != before)
    await part.until_ready()
    part.doomed -= 1


async def _signalled(part: Part, number: signal.Signals) -> None:
    """Sends a part's main process a signal that it ends of, and waits for the next one."""
    part.doomed += 1
    before = part.pid
    with suppress(psutil.NoSuchProcess):
        psutil.Process(before).send_signal(number)
    await until(lambda: part.pid != before)
    await part.until_ready()
    part.doomed -= 1


async def _stopped(part: Part, pause_s: float) -> None:
    with suppress(psutil.NoSuchProcess):  # another fault was there before
        await _suspended([psutil.Process(part.pid), *part.children()], pause_s)


async def _suspended(processes: list[psutil.Process], pause_s: float) -> None:
    try:
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.suspend()
        await asyncio.sleep(pause_s)
    finally:
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.resume()


async def _held(proxy: Proxy, chance: Random) -> None:
    proxy.hold()
    try:
        await asyncio.sleep(chance.uniform(*BRIEF_S))
    finally:
        proxy.release()


def _lock(file: str, pause_s: float) -> None:
    connection = sqlite3.connect(file, timeout=30, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        time.sleep(pause_s)
    finally:
        connection.close()
