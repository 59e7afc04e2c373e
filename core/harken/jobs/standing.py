"""How jobs and batches stand at one position of the transition log: what a watch begins with, and counts on from."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from sqlalchemy import Connection, and_, select

from harken.jobs import log, queries
from harken.jobs.errors import BatchNotFound
from harken.jobs.job import Batch, Job, Transition
from harken.jobs.state import HELD, JobState
from harken.jobs.store.rows import JOB_COLUMNS, job_of
from harken.jobs.store.schema import JOBS, TRANSITIONS

MOST_RUNNING = 1_000  # jobs of a batch whose progress is followed; that of the others is not

_COUNTED_AS = {
    JobState.QUEUED: "queued",
    JobState.RUNNING: "running",
    JobState.CANCELLING: "running",
    JobState.SUCCEEDED: "succeeded",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "cancelled",
}


@dataclass(frozen=True, kw_only=True)
class JobStanding:
    """A job, and the position of the transition that brought it to where it is."""

    job: Job
    position: int


@dataclass(frozen=True, kw_only=True)
class RunningJob:
    """A job that a worker holds."""

    job_id: str
    revision: int
    attempt: int


@dataclass(frozen=True, kw_only=True)
class BatchStanding:
    """A batch, counted, the newest position of its jobs, and those that run, at most MOST_RUNNING."""

    batch: Batch
    position: int
    running: tuple[RunningJob, ...]


def of_jobs(
    connection: Connection, job_ids: Collection[str], *, owner: str
) -> dict[str, JobStanding]:
    """How jobs stand; one that the owner has not is left out."""
    newest = and_(TRANSITIONS.c.job_id == JOBS.c.job_id, TRANSITIONS.c.revision == JOBS.c.revision)
    query = (
        select(*JOB_COLUMNS, TRANSITIONS.c.position)
        .outerjoin(TRANSITIONS, newest)
        .where(JOBS.c.job_id.in_(job_ids), JOBS.c.owner == owner)
    )
    return {
        row.job_id: JobStanding(job=job_of(row), position=row.position or 0)
        for row in connection.execute(query)
    }


def of_batches(
    connection: Connection, batch_ids: Collection[str], *, owner: str
) -> dict[str, BatchStanding]:
    """How batches stand; one that the owner has not is left out."""
    found: dict[str, BatchStanding] = {}
    for batch_id in batch_ids:
        try:
            batch = queries.get_batch(connection, batch_id, owner=owner)
        except BatchNotFound:
            continue
        position = log.head_of_batch(connection, batch_id)
        running = running_in(connection, batch_id) if batch.running else ()
        found[batch_id] = BatchStanding(batch=batch, position=position, running=running)
    return found


def running_in(connection: Connection, batch_id: str) -> tuple[RunningJob, ...]:
    """The jobs of a batch that workers hold, at most MOST_RUNNING."""
    states = [state.value for state in HELD]
    query = select(JOBS.c.job_id, JOBS.c.revision, JOBS.c.attempt).where(
        JOBS.c.batch_id == batch_id, JOBS.c.state.in_(states)
    )
    return tuple(
        RunningJob(job_id=row.job_id, revision=row.revision, attempt=row.attempt)
        for row in connection.execute(query.limit(MOST_RUNNING))
    )


def counted_on(batch: Batch, transitions: Iterable[Transition]) -> Batch:
    """The batch's counts after transitions of its jobs; `end_time` is left as it was."""
    moved: Counter[str] = Counter()
    for found in transitions:
        if found.before is not None:
            moved[_COUNTED_AS[found.before]] -= 1
        moved[_COUNTED_AS[found.after]] += 1
    return replace(batch, **{name: getattr(batch, name) + number for name, number in moved.items()})
