"""The one place where a job's state changes: the row and the log in the same transaction."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from harken.jobs import log
from harken.jobs.job import Job, JobError
from harken.jobs.state import LEGAL, JobState
from harken.jobs.store.rows import JOB_COLUMNS, error_columns, job_of
from harken.jobs.store.schema import JOBS

# Made once: to make a statement costs more than to run it.
_LOCK = select(*JOB_COLUMNS).where(JOBS.c.job_id == bindparam("job_id")).with_for_update()
_LOCK_OWNERS = _LOCK.where(JOBS.c.owner == bindparam("owner"))
_CHANGE = update(JOBS).where(JOBS.c.job_id == bindparam("changed_id"))


@dataclass(frozen=True, kw_only=True)
class Change:
    """A new state, why, and what else is written with it."""

    to: JobState
    error: JobError | None = None
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])


def lock(connection: Connection, job_id: str, owner: str | None = None) -> Job | None:
    """The job, which no other transaction changes before this one ends; None when there is none."""
    statement = _LOCK if owner is None else _LOCK_OWNERS
    row = connection.execute(statement, {"job_id": job_id, "owner": owner}).one_or_none()
    return None if row is None else job_of(row)


def change(
    connection: Connection, job_id: str, now: datetime, decide: Callable[[Job], Change | None]
) -> JobState | None:
    """Locks the job and writes what `decide` makes of it.

    Returns the state written, or None when there is no such job or nothing was decided.
    """
    job = lock(connection, job_id)
    decided = None if job is None else decide(job)
    if job is None or decided is None:
        return None
    write(connection, job, decided, now)
    return decided.to


def write(connection: Connection, job: Job, decided: Change, now: datetime) -> None:
    """Writes a change to a locked job, and its row in the log."""
    if decided.to not in LEGAL[job.state]:
        raise ValueError(f"job {job.job_id} cannot go from {job.state} to {decided.to}")
    values: dict[str, Any] = {
        "state": decided.to.value,
        "revision": job.revision + 1,
        **error_columns(decided.error),
    }
    if decided.to.terminal:
        values |= {"end_time": now, "lease_expires_at": None, "not_before": None}
        if decided.to is JobState.CANCELLED:
            values["stopped_time"] = now
    values |= decided.values
    connection.execute(_CHANGE, {"changed_id": job.job_id, **values})
    row = {
        "job_id": job.job_id,
        "batch_id": job.batch_id,
        "revision": job.revision + 1,
        "attempt": job.attempt,
        "before": job.state.value,
        "after": decided.to.value,
        "worker": job.worker,
        "time": now,
        **error_columns(decided.error),
    }
    log.append(connection, [row])
