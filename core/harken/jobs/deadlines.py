"""Deadlines: a job that no worker has taken in time fails, however busy they are and whether the broker is there."""

from datetime import datetime

from sqlalchemy import Connection, select

from harken.jobs.change import Change, change
from harken.jobs.job import ErrorKind, Job, JobError
from harken.jobs.state import JobState
from harken.jobs.store.schema import JOBS, UNSTARTED

CHUNK = 100  # jobs that one transaction fails, so that others do not wait for long


def any_overdue(connection: Connection, now: datetime) -> bool:
    """Whether there is a job to fail: a read, where `fail_overdue` is a write."""
    overdue = select(JOBS.c.job_id).where(UNSTARTED, JOBS.c.schedule_deadline <= now)
    return connection.execute(overdue.limit(1)).one_or_none() is not None


def fail_overdue(connection: Connection, now: datetime) -> int:
    """Fails up to `CHUNK` jobs that have not started in time; returns how many."""
    # In the order of their ids, so that two such transactions cannot wait for each other.
    overdue = (
        select(JOBS.c.job_id)
        .where(UNSTARTED, JOBS.c.schedule_deadline <= now)
        .order_by(JOBS.c.job_id)
        .limit(CHUNK)
    )
    job_ids = connection.execute(overdue).scalars().all()
    written = [change(connection, job_id, now, lambda job: _decide(job, now)) for job_id in job_ids]
    return sum(state is not None for state in written)


def _decide(job: Job, now: datetime) -> Change | None:
    deadline = job.schedule_deadline
    waits = job.state is JobState.QUEUED and job.attempt == 0
    if deadline is None or not waits or deadline > now:
        return None
    allowed_s = (deadline - job.create_time).total_seconds()
    error = JobError(
        kind=ErrorKind.TIMEOUT,
        reason="SCHEDULE_TIMEOUT",
        message=f"No worker took it within its schedule_timeout of {allowed_s:g} s."
        " Submit it again with a longer one, or start more workers.",
    )
    return Change(to=JobState.FAILED, error=error)
