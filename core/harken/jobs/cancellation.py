"""Asking for jobs to be stopped. It needs the database only: workers see the request there."""

from datetime import datetime

from sqlalchemy import Connection, select

from harken.jobs import audit, queries
from harken.jobs.action import Asked, Outcome
from harken.jobs.change import Change, change, lock, write
from harken.jobs.errors import JobNotFound
from harken.jobs.job import Batch, Job
from harken.jobs.state import JobState, after_cancel
from harken.jobs.store.schema import JOBS

_OPEN = (JobState.QUEUED.value, JobState.RUNNING.value)


def cancel_job(
    connection: Connection,
    job_id: str,
    *,
    owner: str,
    now: datetime,
    asked: Asked | None = None,
) -> Job:
    """The job after the request, which is recorded if it changes something; a terminal one stays as it is.

    Raises JobNotFound.
    """
    job = lock(connection, job_id, owner)
    if job is None:
        raise JobNotFound(job_id)
    decided = decide(job, now)
    if decided is None:
        return job
    write(connection, job, decided, now)
    if asked is not None:
        audit.record(connection, asked, [Outcome(job_id=job_id)], now=now)
    return queries.get_job(connection, job_id, owner=owner)


def cancel_batch(
    connection: Connection,
    batch_id: str,
    *,
    owner: str,
    now: datetime,
    asked: Asked | None = None,
) -> Batch:
    """The batch after the request for all its jobs, which is recorded. Raises BatchNotFound."""
    queries.get_batch(connection, batch_id, owner=owner)
    # In the order of their ids, so that two such transactions cannot wait for each other.
    open_jobs = (
        select(JOBS.c.job_id)
        .where(JOBS.c.batch_id == batch_id, JOBS.c.state.in_(_OPEN))
        .order_by(JOBS.c.job_id)
    )
    outcomes = [
        Outcome(job_id=job_id)
        for job_id in connection.execute(open_jobs).scalars().all()
        if change(connection, job_id, now, lambda job: decide(job, now))
    ]
    if asked is not None:
        audit.record(connection, asked, outcomes, now=now)
    return queries.get_batch(connection, batch_id, owner=owner)


def decide(job: Job, now: datetime) -> Change | None:
    """What a request to stop makes of a job; None where it changes nothing."""
    to = after_cancel(job.state)
    return None if to is job.state else Change(to=to, values={"cancel_time": now})
