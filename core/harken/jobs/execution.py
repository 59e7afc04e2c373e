"""What a worker does to a job: claim it, and end the attempt.

Every write names the attempt that holds the job, so a zombie's is refused.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, or_, select, update

from harken.jobs import log, one_statement
from harken.jobs.change import Change, change
from harken.jobs.failpoint import Point, failpoint
from harken.jobs.job import ErrorKind, Job, JobError
from harken.jobs.owners.quotas import NO_QUOTA, Quota
from harken.jobs.queueing import outbox
from harken.jobs.queueing.running_room import may_run
from harken.jobs.retry import retry_delay
from harken.jobs.similarity import embeddings
from harken.jobs.state import HELD, JobState, after_loss, after_transient_error
from harken.jobs.store.rows import JOB_COLUMNS, error_columns, job_of
from harken.jobs.store.schema import HELD_BY_WORKERS, JOBS, RESULTS, TRANSITIONS
from harken.jobs.store.transaction import none_around

LEASE = timedelta(seconds=15)  # unless the settings have another one

_WAITING_AGAIN: Mapping[str, Any] = {
    "published_at": None,
    "lease_expires_at": None,
    "worker": None,
    "pid": None,
}

# Statements are made once: to make one costs more than to run it.
_KEEP_RESULT = insert(RESULTS)
_NOW = bindparam("now", type_=JOBS.c.start_time.type)
_CLAIM = (
    update(JOBS)
    .where(
        JOBS.c.job_id == bindparam("claimed_id"),
        JOBS.c.state == JobState.QUEUED.value,
        or_(JOBS.c.not_before.is_(None), JOBS.c.not_before <= _NOW),
        or_(
            JOBS.c.schedule_deadline.is_(None),
            JOBS.c.schedule_deadline > _NOW,
            JOBS.c.attempt > 0,
        ),
    )
    .values(
        state=JobState.RUNNING.value,
        revision=JOBS.c.revision + 1,
        attempt=JOBS.c.attempt + 1,
        worker=bindparam("by"),
        pid=bindparam("by_pid"),
        lease_expires_at=bindparam("lease_end"),
        not_before=None,
        start_time=func.coalesce(JOBS.c.start_time, _NOW),
        **error_columns(None),
    )
    .returning(*JOB_COLUMNS)
)
_CLAIM_ALONE = one_statement.claiming(_CLAIM)


def claim(
    connection: Connection,
    job_id: str,
    *,
    worker: str,
    pid: int,
    now: datetime,
    lease: timedelta = LEASE,
    tried: Collection[datetime] = (),
    running: Quota = NO_QUOTA,
) -> Job | None:
    """Takes a queued job for a process of `worker`.

    None when it is not to be had: a duplicate, cancelled, not yet due, or not started in time; or when as many of its
    owner's run as may by the quota `running`, with which it has to be in a transaction: then the relay takes it to the
    broker when it may run. `tried` are the times of earlier tries of the same delivery that got no answer: where one
    was made after all, and still holds the job, it is the claim.
    """
    if running and not may_run(connection, job_id, running):
        outbox.publish_again(connection, job_id)
        return None
    parameters = {
        "claimed_id": job_id,
        "now": now,
        "by": worker,
        "by_pid": pid,
        "lease_end": now + lease,
    }
    alone = none_around(connection)
    row = connection.execute(_CLAIM_ALONE if alone else _CLAIM, parameters).one_or_none()
    if row is not None:
        job = job_of(row)
        if not alone:
            log.append(connection, [_log_row(job, now)])
        return job
    # Asked only now: the update has waited for a commit that was still under way.
    return _claimed_at(connection, job_id, tried, worker=worker, pid=pid) if tried else None


def _claimed_at(
    connection: Connection, job_id: str, times: Collection[datetime], *, worker: str, pid: int
) -> Job | None:
    """The job, where the attempt that holds it was claimed by this process at one of the times."""
    claimed = select(TRANSITIONS.c.position).where(
        TRANSITIONS.c.job_id == JOBS.c.job_id,
        TRANSITIONS.c.attempt == JOBS.c.attempt,
        TRANSITIONS.c.after == JobState.RUNNING.value,
        TRANSITIONS.c.time.in_(times),
    )
    query = select(*JOB_COLUMNS).where(
        *(JOBS.c.job_id == job_id, JOBS.c.worker == worker, JOBS.c.pid == pid),
        *(HELD_BY_WORKERS, claimed.exists()),
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else job_of(row)


def _log_row(job: Job, now: datetime) -> dict[str, Any]:
    """The log's row of a claim."""
    return {
        "job_id": job.job_id,
        "batch_id": job.batch_id,
        "revision": job.revision,
        "attempt": job.attempt,
        "before": JobState.QUEUED.value,
        "after": job.state.value,
        "worker": job.worker,
        "time": now,
    }


def cancel_requested(connection: Connection, job_id: str, attempt: int) -> bool:
    """Whether the attempt has to stop: cancel was asked for, or the job is no longer its own."""
    query = select(JOBS.c.state).where(JOBS.c.job_id == job_id, JOBS.c.attempt == attempt)
    return connection.execute(query).scalar_one_or_none() != JobState.RUNNING.value


def succeed(
    connection: Connection,
    job_id: str,
    attempt: int,
    result: Mapping[str, Any] | None,
    now: datetime,
    *,
    content_key: str | None = None,
) -> JobState | None:
    """Keeps the result, where there is one, and its vector; None when the attempt no longer holds the job.

    By its `content_key` it is found for later jobs (`harken.jobs.known_results`); without one it is not.
    """
    if none_around(connection):
        value = None if result is None else dict(result)
        return one_statement.succeed(
            connection, job_id, attempt, value, now, content_key=content_key
        )
    ended: list[Job] = []

    def decide(job: Job) -> Change | None:
        if not holds(job, attempt):
            return None
        ended.append(job)
        values = {"content_key": content_key} if content_key else {}
        return Change(to=JobState.SUCCEEDED, values=values)

    written = change(connection, job_id, now, decide)
    if ended and result is not None:
        failpoint(Point.RESULT)
        connection.execute(_KEEP_RESULT, {"job_id": job_id, "result": dict(result)})
        (job,) = ended
        embeddings.keep(connection, job_id, owner=job.owner, spec=job.spec, result=result, now=now)
    return written


def fail(
    connection: Connection, job_id: str, attempt: int, error: JobError, now: datetime
) -> JobState | None:
    """Ends the job as failed; None when the attempt no longer holds it."""

    def decide(job: Job) -> Change | None:
        return Change(to=JobState.FAILED, error=error) if holds(job, attempt) else None

    return change(connection, job_id, now, decide)


def stop(connection: Connection, job_id: str, attempt: int, now: datetime) -> JobState | None:
    """Ends a job whose work stopped because cancel was asked for; None when it was not."""

    def decide(job: Job) -> Change | None:
        stopped = job.attempt == attempt and job.state is JobState.CANCELLING
        return Change(to=JobState.CANCELLED) if stopped else None

    return change(connection, job_id, now, decide)


def retry(
    connection: Connection,
    job_id: str,
    attempt: int,
    error: JobError,
    *,
    max_retries: int,
    chance: float,
    now: datetime,
) -> JobState | None:
    """Puts a job that met a transient error back, due after a delay, or fails it when its retries are spent."""

    def decide(job: Job) -> Change | None:
        if not holds(job, attempt):
            return None
        to = after_transient_error(job.state, job.retries, max_retries)
        if to is not JobState.QUEUED:
            return Change(to=to, error=error if to is JobState.FAILED else None)
        due = now + retry_delay(job.retries, chance)
        values = {**_WAITING_AGAIN, "retries": job.retries + 1, "not_before": due}
        return Change(to=to, error=error, values=values)

    return change(connection, job_id, now, decide)


def hand_back(
    connection: Connection,
    job_id: str,
    attempt: int,
    now: datetime,
    *,
    stopped_time: datetime | None = None,
) -> JobState | None:
    """Puts a job back that a stopping worker cannot finish; it counts as neither crash nor retry.

    Its process has ended, at `stopped_time` where that was before now; so for `lose`.
    """

    def decide(job: Job) -> Change | None:
        return waiting_again(job, stopped_time or now) if holds(job, attempt) else None

    return change(connection, job_id, now, decide)


def lose(
    connection: Connection,
    job_id: str,
    attempt: int,
    now: datetime,
    *,
    cause: str,
    max_crashes: int,
    stopped_time: datetime | None = None,
) -> JobState | None:
    """Puts a job back whose process died of `cause`, or fails it when that was once too often."""

    def decide(job: Job) -> Change | None:
        if not holds(job, attempt):
            return None
        crashes = job.crashes + 1
        to = after_loss(job.state, crashes, max_crashes)
        if to is JobState.CANCELLED:
            return _cancelled(stopped_time or now)
        error = JobError(
            kind=ErrorKind.CRASHED,
            reason="WORKER_DIED",
            message=f"The process that worked on it died ({cause}), {crashes} of {max_crashes} times.",
        )
        values: dict[str, Any] = {"crashes": crashes}
        if to is JobState.QUEUED:
            values |= _WAITING_AGAIN
        return Change(to=to, error=error, values=values)

    return change(connection, job_id, now, decide)


def expire(
    connection: Connection, job_id: str, attempt: int, now: datetime, *, limit_s: float
) -> JobState | None:
    """Fails a job whose process was killed at a time limit."""
    return fail(connection, job_id, attempt, timeout_error(limit_s), now)


def attempt_of(connection: Connection, job_id: str, *, worker: str, pid: int) -> int | None:
    """The attempt by which a process of `worker` holds the job; None when it holds it no longer, or not yet."""
    return connection.execute(
        select(JOBS.c.attempt).where(
            JOBS.c.job_id == job_id,
            JOBS.c.worker == worker,
            JOBS.c.pid == pid,
            JOBS.c.state.in_([state.value for state in HELD]),
        )
    ).scalar_one_or_none()


def timeout_error(limit_s: float) -> JobError:
    """The error of a job that ran into a time limit."""
    return JobError(
        kind=ErrorKind.TIMEOUT,
        reason="TIME_LIMIT",
        message=f"It was stopped after the time limit of {limit_s:g} s.",
    )


def holds(job: Job, attempt: int) -> bool:
    """Whether the attempt still has the job."""
    return job.attempt == attempt and job.state in HELD


def waiting_again(job: Job, stopped_time: datetime) -> Change:
    """What puts a job back that is held; one that was to be cancelled is."""
    if job.state is JobState.CANCELLING:
        return _cancelled(stopped_time)
    return Change(to=JobState.QUEUED, values=_WAITING_AGAIN)


def _cancelled(stopped_time: datetime) -> Change:
    return Change(to=JobState.CANCELLED, values={"stopped_time": stopped_time})
