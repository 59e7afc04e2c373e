"""Reading jobs and batches. All is read for one owner: another's is not found."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, exists, func, literal_column, or_, select

from harken.jobs.errors import BatchNotFound, JobNotFound
from harken.jobs.job import Batch, ErrorKind, Job, JobKind, RefusedItem
from harken.jobs.state import JobState
from harken.jobs.store.rows import JOB_COLUMNS, job_of
from harken.jobs.store.schema import BATCHES, DISMISSALS, JOBS, RESULTS

# Whose failure may be mended by trying again.
RETRIABLE = frozenset(ErrorKind) - {ErrorKind.INPUT}


@dataclass(frozen=True, kw_only=True)
class JobFilter:
    """Which jobs to list; an empty field means any."""

    batch_id: str | None = None
    states: Collection[JobState] = ()
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    error_kinds: Collection[ErrorKind] = ()
    not_error_kinds: Collection[ErrorKind] = ()
    ended_after: datetime | None = None
    ended_before: datetime | None = None
    dead_letters_only: bool = False
    kinds: Collection[JobKind] = ()


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
    query = query.where(*conditions(connection, wanted))
    if before_id is not None:
        query = query.where(JOBS.c.job_id < before_id)
    query = query.order_by(JOBS.c.job_id.desc()).limit(limit)
    return tuple(job_of(row) for row in connection.execute(query))


def conditions(connection: Connection, wanted: JobFilter) -> list[ColumnElement[bool]]:
    """What holds for the rows of the jobs that a filter wants."""
    where: list[ColumnElement[bool]] = []
    if wanted.batch_id is not None:
        where.append(JOBS.c.batch_id == wanted.batch_id)
    if wanted.states:
        where.append(JOBS.c.state.in_([state.value for state in wanted.states]))
    if wanted.kinds:
        where.append(JOBS.c.kind.in_([kind.value for kind in wanted.kinds]))
    if wanted.error_kinds:
        where.append(JOBS.c.error_kind.in_([kind.value for kind in wanted.error_kinds]))
    if wanted.not_error_kinds:
        other = JOBS.c.error_kind.not_in([kind.value for kind in wanted.not_error_kinds])
        where.append(or_(JOBS.c.error_kind.is_(None), other))
    if wanted.ended_after is not None:
        where.append(JOBS.c.end_time >= wanted.ended_after)
    if wanted.ended_before is not None:
        where.append(JOBS.c.end_time < wanted.ended_before)
    if wanted.dead_letters_only:
        # Spelled out, so that SQLite sees that the index of failed jobs will do.
        where.append(JOBS.c.state == literal_column("'FAILED'"))
        where.append(JOBS.c.error_kind.in_(sorted(RETRIABLE)))
        where += not_dealt_with()
    where += [_has_label(connection, key, value) for key, value in wanted.labels.items()]
    return where


def not_dealt_with() -> list[ColumnElement[bool]]:
    """What holds for the rows of jobs that were neither retried nor dismissed."""
    newer = JOBS.alias("newer")
    return [
        ~exists().where(newer.c.retry_of == JOBS.c.job_id),
        ~exists().where(DISMISSALS.c.job_id == JOBS.c.job_id),
    ]


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
