"""Who works, and what waits."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from harken.client.enums import WorkerStatus


@dataclass(frozen=True, kw_only=True)
class RunningJob:
    """A job that a worker is on."""

    job_id: str = ""
    attempt: int = 0
    start_time: datetime | None = None
    """When the attempt started."""


@dataclass(frozen=True, kw_only=True)
class ActiveTask:
    """A task that a worker is on, as Celery tells."""

    task_id: str = ""
    """For an analysis the id of the job."""
    name: str = ""
    """Celery's name of it, such as "harken.analyze"."""
    pid: int = 0
    """The process of the pool that runs it."""
    start_time: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What a worker's main process answers to Celery's own inspection."""

    answered: bool = False
    """Whether it did so in time."""
    pool_pids: tuple[int, ...] = ()
    """The processes of its pool."""
    active_tasks: tuple[ActiveTask, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Worker:
    """A process that runs jobs, as its last heartbeat told."""

    name: str = ""
    """Celery's name of it, such as "worker@host"."""
    status: WorkerStatus = WorkerStatus.UNKNOWN
    hostname: str = ""
    pid: int = 0
    version: str = ""
    queues: tuple[str, ...] = ()
    """The queues it takes jobs from."""
    concurrency: int = 0
    """How many jobs it runs at once."""
    running_jobs: tuple[RunningJob, ...] = ()
    jobs_done: int = 0
    """How many jobs it has ended since it started."""
    start_time: datetime | None = None
    heartbeat_time: datetime | None = None
    age: timedelta | None = None
    """How old the figures are."""
    probe: Probe | None = None
    """What it answered when Celery asked it now; set when that was asked for and the broker is there."""


@dataclass(frozen=True, kw_only=True)
class Queue:
    """A place where jobs of a kind wait."""

    name: str = ""
    queued: int = 0
    """Jobs that wait, whether handed to the broker already or not."""
    running: int = 0
    oldest_age: timedelta | None = None
    """How long the oldest has waited; None when none waits."""
    workers: int = 0
    """Workers online that take from it."""
