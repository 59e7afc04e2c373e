"""Reading jobs and batches. All is read for one owner: another's is not found."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, exists, func, select

from harken.jobs.errors import BatchNotFound, JobNotFound
from harken.jobs.job import Batch, Job, RefusedItem
from harken.jobs.rows import JOB_COLUMNS, job_of
from harken.jobs.schema import BATCHES, JOBS, RESULTS
from harken.jobs.state import JobState


@dataclass(frozen=True, kw_only=True)
class JobFilter:
    """Which jobs to list; an empty field means any."""

    batch_id: str | None = None
    states: Collection[JobState] = ()
    labels: Mapping[str, str] = field(default_factory=dict[str, str])


def get_job(connection: Connection, job_id: str, *, owner: str) -> Job:
    """The job. Raises JobNotFound."""
    query = select(*JOB_COLUMNS).where(JOBS.c.job_id == job_id, JOBS.c.owner == owner)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise JobNotFound(job_id)
    return job_of(row)


def get_result(connection: Connection, job_id: str) -> dict[str, Any] | None:
    """The result of a job, with the names of the contract's AnalysisResult; None without one."""
    return connection.execute(
        select(RESULTS.c.result).where(RESULTS.c.job_id == job_id)
    ).scalar_one_or_none()


def list_jobs(
    connection: Connection,
    wanted: JobFilter,
    *,
    owner: str,
    limit: int,
    before_id: str | None = None,
) -> tuple[Job, ...]:
    """At most `limit` jobs, the newest first, older than `before_id`."""
    query: Select[Any] = select(*JOB_COLUMNS).where(JOBS.c.owner == owner)
    if wanted.batch_id is not None:
        query = query.where(JOBS.c.batch_id == wanted.batch_id)
    if wanted.states:
        query = query.where(JOBS.c.state.in_([state.value for state in wanted.states]))
    for key, value in wanted.labels.items():
        query = query.where(_has_label(connection, key, value))
    if before_id is not None:
        query = query.where(JOBS.c.job_id < before_id)
    query = query.order_by(JOBS.c.job_id.desc()).limit(limit)
    return tuple(job_of(row) for row in connection.execute(query))


def get_batch(connection: Connection, batch_id: str, *, owner: str) -> Batch:
    """The batch with its counts. Raises BatchNotFound."""
    query = select(BATCHES.c.refused, BATCHES.c.create_time).where(
        BATCHES.c.batch_id == batch_id, BATCHES.c.owner == owner
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise BatchNotFound(batch_id)
    counted = connection.execute(
        select(JOBS.c.state, func.count().label("number"), func.max(JOBS.c.end_time).label("last"))
        .where(JOBS.c.batch_id == batch_id)
        .group_by(JOBS.c.state)
    ).all()
    number = {JobState(group.state): group.number for group in counted}
    ended = not any(number.get(state) for state in JobState if not state.terminal)
    last = max((group.last for group in counted if group.last), default=row.create_time)
    return Batch(
        batch_id=batch_id,
        total=sum(number.values()),
        queued=number.get(JobState.QUEUED, 0),
        running=number.get(JobState.RUNNING, 0) + number.get(JobState.CANCELLING, 0),
        succeeded=number.get(JobState.SUCCEEDED, 0),
        failed=number.get(JobState.FAILED, 0),
        cancelled=number.get(JobState.CANCELLED, 0),
        create_time=row.create_time,
        end_time=last if ended else None,
        refused=tuple(RefusedItem(**item) for item in row.refused),
    )


def _has_label(connection: Connection, key: str, value: str) -> ColumnElement[bool]:
    if connection.dialect.name != "sqlite":
        return JOBS.c.labels[key].as_string() == value
    # SQLite would read the key as a path, in which quotes have a meaning.
    label = func.json_each(JOBS.c.labels).table_valued("key", "value")
    return exists().select_from(label).where(label.c.key == key, label.c.value == value)
