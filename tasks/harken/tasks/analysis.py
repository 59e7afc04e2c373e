"""The task that runs a job: claim it, analyse its file, write how it ended."""

import logging
import random
from collections.abc import Callable
from typing import Any

from celery.exceptions import Ignore, SoftTimeLimitExceeded
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from harken.jobs import execution
from harken.jobs.failpoint import Point, failpoint
from harken.jobs.job import ErrorKind, Job, JobError
from harken.jobs.state import JobState
from harken.media import MediaRoots, SourceError
from harken.tasks import names
from harken.tasks.app import app
from harken.tasks.job_task import JobTask, utc_now
from harken.tasks.progress import Cancelled, ProgressReporter, Tick

LOG = logging.getLogger(__name__)

Ending = Callable[[Connection], JobState | None]


@app.task(name=names.ANALYZE, bind=True, base=JobTask)
def analyze(self: JobTask, job_id: str) -> dict[str, str]:
    """Runs one attempt at a job.

    Raises only Ignore: when the job was not to be had, or the attempt did not write its end, so that
    Celery stores no SUCCESS over what another attempt reports.
    """
    try:
        state = _attempt(self, job_id)
    except OperationalError as error:
        # The lease runs out, and the job is put back or failed then.
        LOG.error("job %s: the database stayed away: %s", job_id, error.orig)  # noqa: TRY400
        raise Ignore from error
    if state is None or not state.terminal:
        raise Ignore
    return {"job_id": job_id, "state": state.value}


def _attempt(task: JobTask, job_id: str) -> JobState | None:
    """Claims the job, does the work, writes the end; returns the state written, None for none."""
    worker = str(task.request.hostname)
    failpoint(Point.CLAIM)
    job = task.write(lambda c: execution.claim(c, job_id, worker=worker, now=utc_now()))
    if job is None:
        LOG.info("job %s is not to be had: a duplicate delivery, cancelled or not yet due", job_id)
        return None
    LOG.info("job %s attempt %d starts: %s", job_id, job.attempt, job.source.value)
    failpoint(Point.CLAIMED)
    try:
        ending = _run(task, job)
        failpoint(Point.COMPUTED)
        state = task.write(ending)
    except SoftTimeLimitExceeded as error:  # between the work and its end
        state = task.write(_ending_of(error, task, job))
    failpoint(Point.ENDED)
    LOG.info("job %s attempt %d ends: %s", job_id, job.attempt, state or "refused")
    return state


def _run(task: JobTask, job: Job) -> Ending:
    """Does the work; returns the write that ends the attempt."""

    def publish(tick: Tick, seq: int) -> None:
        meta = {
            "attempt": job.attempt,
            "seq": seq,
            "stage": tick.stage,
            "fraction": tick.fraction,
            "message": tick.message,
        }
        task.update_state(task_id=job.job_id, state="PROGRESS", meta=meta)

    def cancel_requested() -> bool:
        return task.read(lambda c: execution.cancel_requested(c, job.job_id, job.attempt))

    try:
        with ProgressReporter(publish, cancel_requested) as progress:
            result = _analyze(task, job, progress)
    except Cancelled:
        return lambda c: execution.stop(c, job.job_id, job.attempt, utc_now())
    except (Exception, MemoryError) as error:
        return _ending_of(error, task, job)
    return lambda c: execution.succeed(c, job.job_id, job.attempt, result, utc_now())


def _analyze(task: JobTask, job: Job, progress: ProgressReporter) -> dict[str, Any]:
    from harken.audio import analyze as analyze_file  # slow to import: not before it is needed

    progress.check()
    path = MediaRoots(task.settings.media_roots).resolve(job.source.value)
    return analyze_file(path, job.features, on_progress=progress.report).to_dict()


def _ending_of(error: BaseException, task: JobTask, job: Job) -> Ending:
    """The write that an error leads to."""
    described = describe(error, task.settings.task_soft_time_limit_s)
    if described.kind is ErrorKind.INTERNAL:
        LOG.error("job %s attempt %d met a fault", job.job_id, job.attempt, exc_info=error)
    if described.kind is ErrorKind.TRANSIENT:
        return lambda c: execution.retry(
            c,
            job.job_id,
            job.attempt,
            described,
            max_retries=task.settings.max_retries,
            chance=random.random(),
            now=utc_now(),
        )
    return lambda c: execution.fail(c, job.job_id, job.attempt, described, utc_now())


def describe(error: BaseException, soft_limit_s: float) -> JobError:
    """The error of a job whose work raised `error`: who has to do something about it, and what."""
    from harken.audio import InputError

    match error:
        case InputError():
            return JobError(kind=ErrorKind.INPUT, reason=error.reason, message=error.message)
        case SourceError():
            return JobError(kind=ErrorKind.INPUT, reason=error.reason, message=str(error))
        case SoftTimeLimitExceeded():
            return execution.timeout_error(soft_limit_s)
        case MemoryError():
            message = "The memory did not suffice. Run the worker with more, or the file in parts."
            return JobError(kind=ErrorKind.INTERNAL, reason="OUT_OF_MEMORY", message=message)
        case OSError():  # ConnectionError and TimeoutError are OSErrors too
            reason = type(error).__name__
            return JobError(
                kind=ErrorKind.TRANSIENT,
                reason="IO_ERROR",
                message=f"Reading failed ({reason}: {error}).",
            )
        case _:
            message = f"{type(error).__name__}: {error}. The worker's log has the traceback."
            return JobError(kind=ErrorKind.INTERNAL, reason="UNEXPECTED_ERROR", message=message)
