"""Rows of the tables as values of the domain."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Row

from harken.jobs.job import ErrorKind, Job, JobError, JobKind, Source, Transition
from harken.jobs.state import JobState
from harken.jobs.store.schema import JOBS, TRANSITIONS

JOB_COLUMNS = tuple(
    JOBS.c[name]
    for name in [
        "job_id",
        "owner",
        "batch_id",
        "state",
        "revision",
        "attempt",
        "crashes",
        "retries",
        "priority",
        "queue",
        "source_kind",
        "source",
        "features",
        "labels",
        "error_kind",
        "error_reason",
        "error_message",
        "worker",
        "create_time",
        "start_time",
        "end_time",
        "stopped_time",
        "schedule_deadline",
        "run_timeout_s",
        "retry_of",
        "kind",
        "spec",
        "skip_cache",
        "cached_from",
        "filename",
    ]
)

TRANSITION_COLUMNS = tuple(
    TRANSITIONS.c[name]
    for name in [
        "position",
        "job_id",
        "batch_id",
        "revision",
        "attempt",
        "before",
        "after",
        "error_kind",
        "error_reason",
        "error_message",
        "time",
    ]
)


def job_of(row: Row[Any]) -> Job:
    """The job of a row of `JOB_COLUMNS`."""
    return Job(
        job_id=row.job_id,
        owner=row.owner,
        batch_id=row.batch_id,
        state=JobState(row.state),
        revision=row.revision,
        attempt=row.attempt,
        crashes=row.crashes,
        retries=row.retries,
        priority=row.priority,
        queue=row.queue,
        source=Source(kind=row.source_kind, value=row.source),
        features=tuple(row.features),
        labels=row.labels,
        error=error_of(row),
        worker=row.worker,
        create_time=row.create_time,
        start_time=row.start_time,
        end_time=row.end_time,
        stopped_time=row.stopped_time,
        schedule_deadline=row.schedule_deadline,
        run_timeout=None if row.run_timeout_s is None else timedelta(seconds=row.run_timeout_s),
        retry_of=row.retry_of,
        kind=JobKind(row.kind),
        spec=row.spec,
        skip_cache=row.skip_cache,
        cached_from=row.cached_from,
        filename=row.filename,
    )


def transition_of(row: Row[Any]) -> Transition:
    """The transition of a row of `TRANSITION_COLUMNS`."""
    return Transition(
        position=row.position,
        job_id=row.job_id,
        batch_id=row.batch_id,
        revision=row.revision,
        attempt=row.attempt,
        before=JobState(row.before) if row.before else None,
        after=JobState(row.after),
        error=error_of(row),
        time=row.time,
    )


def error_of(row: Row[Any]) -> JobError | None:
    """The error in a row's three error columns."""
    if row.error_kind is None:
        return None
    return JobError(
        kind=ErrorKind(row.error_kind), reason=row.error_reason, message=row.error_message
    )


def error_columns(error: JobError | None) -> dict[str, str | None]:
    """The three error columns of an error."""
    if error is None:
        return {"error_kind": None, "error_reason": None, "error_message": None}
    return {
        "error_kind": error.kind.value,
        "error_reason": error.reason,
        "error_message": _storable(error.message),
    }


def _storable(text: str) -> str:
    """The text with "�" for what PostgreSQL or UTF-8 cannot hold: NUL, and halves of characters."""
    return text.replace("\0", "�").encode(errors="replace").decode()
