"""Workers and queues as the database knows them: the workers' heartbeats, and counts of jobs."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, delete, func, insert, select, update

from harken.jobs.store.schema import HELD_BY_WORKERS, JOBS, WAITING, WORKERS

BEAT_INTERVAL = timedelta(seconds=5)
LOST_AFTER = 3 * BEAT_INTERVAL
SHOWN_FOR = timedelta(days=1)  # a lost worker is shown that long


class WorkerStatus(StrEnum):
    """Whether a worker can be counted on."""

    ONLINE = "ONLINE"
    STOPPING = "STOPPING"
    LOST = "LOST"


@dataclass(frozen=True, kw_only=True)
class Heartbeat:
    """What a worker tells of itself."""

    name: str
    hostname: str
    pid: int
    version: str
    queues: tuple[str, ...]
    concurrency: int
    jobs_done: int
    stopping: bool
    start_time: datetime


@dataclass(frozen=True, kw_only=True)
class RunningJob:
    """A job that a worker is on."""

    job_id: str
    attempt: int
    start_time: datetime


@dataclass(frozen=True, kw_only=True)
class Worker:
    """A worker by its last heartbeat."""

    heartbeat: Heartbeat
    heartbeat_time: datetime
    age: timedelta
    status: WorkerStatus
    running: tuple[RunningJob, ...]


@dataclass(frozen=True, kw_only=True)
class Queue:
    """A queue by the jobs that wait for it or run from it."""

    name: str
    queued: int
    running: int
    oldest_age: timedelta | None
    workers: int


def status_of(age: timedelta, stopping: bool) -> WorkerStatus:
    """The status of a worker whose last heartbeat is `age` old."""
    if age > LOST_AFTER:
        return WorkerStatus.LOST
    return WorkerStatus.STOPPING if stopping else WorkerStatus.ONLINE


def beat(connection: Connection, heartbeat: Heartbeat, now: datetime) -> None:
    """Keeps a heartbeat."""
    values = {**asdict(heartbeat), "queues": list(heartbeat.queues), "heartbeat_time": now}
    beaten = connection.execute(
        update(WORKERS)
        .where(WORKERS.c.name == heartbeat.name)
        .values(values)
        .returning(WORKERS.c.name)
    )
    if beaten.one_or_none() is None:
        connection.execute(insert(WORKERS).values(values))


def leave(connection: Connection, name: str) -> None:
    """Forgets a worker that has stopped in order."""
    connection.execute(delete(WORKERS).where(WORKERS.c.name == name))


def list_workers(
    connection: Connection, now: datetime, *, owner: str | None = None
) -> tuple[Worker, ...]:
    """The workers that have beaten within the last day, by name, with the jobs of one owner or of all."""
    running: dict[str, list[RunningJob]] = {}
    held = (
        select(JOBS.c.worker, JOBS.c.job_id, JOBS.c.attempt, JOBS.c.start_time)
        .where(HELD_BY_WORKERS)
        .order_by(JOBS.c.start_time)
    )
    if owner is not None:
        held = held.where(JOBS.c.owner == owner)
    for row in connection.execute(held):
        job = RunningJob(job_id=row.job_id, attempt=row.attempt, start_time=row.start_time)
        running.setdefault(row.worker, []).append(job)
    query = select(WORKERS).where(WORKERS.c.heartbeat_time > now - SHOWN_FOR)
    workers: list[Worker] = []
    for row in connection.execute(query.order_by(WORKERS.c.name)):
        age = max(now - row.heartbeat_time, timedelta(0))
        workers.append(
            Worker(
                heartbeat=Heartbeat(
                    name=row.name,
                    hostname=row.hostname,
                    pid=row.pid,
                    version=row.version,
                    queues=tuple(row.queues),
                    concurrency=row.concurrency,
                    jobs_done=row.jobs_done,
                    stopping=row.stopping,
                    start_time=row.start_time,
                ),
                heartbeat_time=row.heartbeat_time,
                age=age,
                status=status_of(age, row.stopping),
                running=tuple(running.get(row.name, ())),
            )
        )
    return tuple(workers)


def list_queues(connection: Connection, names: Iterable[str], now: datetime) -> tuple[Queue, ...]:
    """The queues of these names and all others that jobs wait for or workers take from, by name."""
    waiting = {
        row.queue: row
        for row in connection.execute(
            select(
                JOBS.c.queue,
                func.count().label("number"),
                func.min(JOBS.c.create_time).label("oldest"),
            )
            .where(WAITING)
            .group_by(JOBS.c.queue)
        )
    }
    running = {
        row.queue: row.number
        for row in connection.execute(
            select(JOBS.c.queue, func.count().label("number"))
            .where(HELD_BY_WORKERS)
            .group_by(JOBS.c.queue)
        )
    }
    takers: dict[str, int] = {}
    for worker in list_workers(connection, now):
        if worker.status is WorkerStatus.ONLINE:
            for name in worker.heartbeat.queues:
                takers[name] = takers.get(name, 0) + 1
    return tuple(
        Queue(
            name=name,
            queued=waiting[name].number if name in waiting else 0,
            running=running.get(name, 0),
            oldest_age=max(now - waiting[name].oldest, timedelta(0)) if name in waiting else None,
            workers=takers.get(name, 0),
        )
        for name in sorted({*names, *waiting, *running, *takers})
    )
