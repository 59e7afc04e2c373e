"""The task that runs a job: claim it, analyse its file, write how it ended."""

import logging
import math
import os
import random
from collections.abc import Callable
from datetime import timedelta

from celery.exceptions import Ignore, SoftTimeLimitExceeded
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from harken.jobs import clock, execution, uploads
from harken.jobs.failpoint import Point, failpoint
from harken.jobs.job import ErrorKind, Job, JobError
from harken.jobs.state import JobState
from harken.jobs.upload_sources import UPLOAD
from harken.media import SourceError
from harken.media.source_errors import SourceUnreachable
from harken.media.storage_errors import StorageError
from harken.tasks import known, names
from harken.tasks.app import SETTINGS, app
from harken.tasks.job_task import JobTask
from harken.tasks.measurement import CLAIM_LOST, REFUSED, Measuring, tell
from harken.tasks.progress import Cancelled, OutOfTime, ProgressReporter, Tick
from harken.tasks.soft_limit import SoftLimit
from harken.tasks.sources import PATH, URI, open_source, shown
from harken.telemetry import logs, tracing

LOG = logging.getLogger(__name__)

CELERYS_LIMIT_LATER_S = 10
FETCH_SHARE = 0.2  # of a job whose file has to be fetched; how long that takes beside the analysis is up to the network

Ending = Callable[[Connection], JobState | None]


@app.task(
    name=names.ANALYZE,
    bind=True,
    base=JobTask,
    # The guard kills at the limit; Celery's own way, which does not wait for the death, is there if it should fail.
    time_limit=SETTINGS.task_time_limit_s + CELERYS_LIMIT_LATER_S,
)
def analyze(self: JobTask, job_id: str) -> dict[str, str]:
    """Runs one attempt at a job.

    Raises only Ignore: when the job was not to be had, or the attempt did not write its end, so that
    Celery stores no SUCCESS over what another attempt reports. Any other error that got as far as Celery
    could take the whole worker down, as a MemoryError does.
    """
    try:
        with logs.about(job_id=job_id):
            state = _attempt(self, job_id)
    except (SystemExit, KeyboardInterrupt):
        raise  # the process is to end
    except OperationalError as error:
        # The lease runs out, and the job is put back or failed then.
        LOG.error("job %s: the database stayed away: %s", job_id, error.orig)  # noqa: TRY400
        raise Ignore from error
    except BaseException as error:
        LOG.exception("job %s: the end of the attempt could not be written", job_id)
        raise Ignore from error
    if state is None or not state.terminal:
        raise Ignore
    return {"job_id": job_id, "state": state.value}


def _attempt(task: JobTask, job_id: str) -> JobState | None:
    """Claims the job, does the work, writes the end; returns the state written, None for none."""
    soft_limit = SoftLimit()
    soft_limit.install()
    failpoint(Point.CLAIM)
    with tracing.span("claim", job_id=job_id):
        job = _claim(task, job_id)
    if job is None:
        LOG.info("job %s is not to be had: a duplicate delivery, cancelled or not yet due", job_id)
        tell(CLAIM_LOST)
        return None
    with logs.about(attempt=job.attempt, batch_id=job.batch_id, owner=job.owner):
        return _carry_out(task, job, soft_limit)


def _carry_out(task: JobTask, job: Job, soft_limit: SoftLimit) -> JobState | None:
    """Does the work of a claimed job, writes the end; returns the state written, None for none."""
    job_id = job.job_id
    measuring = Measuring(job)
    LOG.info("job %s attempt %d starts: %s", job_id, job.attempt, shown(job.source))
    failpoint(Point.CLAIMED)
    ending = _run(task, job, soft_limit, measuring)
    failpoint(Point.COMPUTED)
    with tracing.span("end", job_id=job_id, attempt=job.attempt):
        state = _end(task, job, ending)
    tell(measuring.ended(state.value if state else REFUSED))
    failpoint(Point.ENDED)
    task.memory.give_back()
    LOG.info("job %s attempt %d ends: %s", job_id, job.attempt, state or "refused")
    return state


def _claim(task: JobTask, job_id: str) -> Job | None:
    """The job for this process; None when it is not to be had."""
    worker, pid = str(task.request.hostname), os.getpid()
    lease = timedelta(seconds=task.settings.lease_s)
    tried: int | None = None  # by this attempt, whose commit may have been made without an answer

    def claim(connection: Connection) -> Job | None:
        nonlocal tried
        job = execution.claim(
            connection,
            job_id,
            worker=worker,
            pid=pid,
            now=clock.now(connection),
            lease=lease,
            unanswered=tried,
        )
        tried = tried if job is None else job.attempt
        return job

    # For ever: given up, the message would be lost, and the job wait for it.
    return task.write(claim, within_s=math.inf)


def _end(task: JobTask, job: Job, ending: Ending) -> JobState | None:
    """Writes the end; of a result that cannot be written, that it cannot."""
    try:
        return task.write(ending)
    except (SystemExit, KeyboardInterrupt, OperationalError):
        raise
    except BaseException as error:
        return task.write(_ending_of(error, task, job))


def _run(task: JobTask, job: Job, soft_limit: SoftLimit, measuring: Measuring) -> Ending:
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

    limit_s = job.run_timeout.total_seconds() if job.run_timeout else math.inf
    try:
        with (
            ProgressReporter(publish, cancel_requested, limit_s) as progress,
            soft_limit.interrupts(),
        ):
            return _analyze(task, job, progress, measuring)
    except Cancelled:
        return lambda c: execution.stop(c, job.job_id, job.attempt, clock.now(c))
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:
        return _ending_of(error, task, job)


def _analyze(task: JobTask, job: Job, progress: ProgressReporter, measuring: Measuring) -> Ending:
    """The end of an attempt that went well: with what an earlier job found, or what is found now."""
    from harken.audio import Limits  # slow to import: not before it is needed
    from harken.audio import analyze as analyze_file

    def on_progress(stage: str, fraction: float, message: str) -> None:
        measuring.stopwatch.enter(stage)
        progress.report(stage, fetched + fraction * (1 - fetched), message)

    def on_fetched(share: float, message: str) -> None:
        nonlocal fetched
        fetched = FETCH_SHARE * share
        measuring.stopwatch.enter("fetch")
        progress.report("fetch", fetched, message)

    uploaded = None
    if job.source.kind == UPLOAD:
        uploaded = task.read(lambda c: uploads.content_of(c, job.source.value, owner=job.owner))
    key = None if uploaded is None else known.key_of(job, f"sha256:{uploaded.sha256}")
    if ending := known.ending(task, job, key):
        return ending  # before an upload is fetched
    fetched = 0.0
    try:
        source = open_source(task.settings, job, on_fetched, uploaded)
        with source.file as file:
            identity = known.identity_of(file.fileno()) if job.source.kind == PATH else None
            content = f"sha256:{source.sha256}" if job.source.kind == URI else identity
            if content is not None:
                key = known.key_of(job, content)
                if ending := known.ending(task, job, key):
                    return ending
            result = analyze_file(
                source.name,
                job.features,
                on_progress=on_progress,
                on_decoded=measuring.decoded,
                descriptor=file.fileno(),
                limits=Limits(longest_s=task.settings.max_audio_hours * 3600.0),
            )
            if identity is not None and identity != known.identity_of(file.fileno()):
                key = None  # it was changed while it was read
    finally:
        measuring.stopwatch.stop()
    found = result.to_dict()
    return lambda c: execution.succeed(
        c, job.job_id, job.attempt, found, clock.now(c), content_key=key
    )


def _ending_of(error: BaseException, task: JobTask, job: Job) -> Ending:
    """The write that an error leads to."""
    limit_s = task.settings.task_soft_time_limit_s
    if isinstance(error, OutOfTime) and job.run_timeout is not None:
        limit_s = job.run_timeout.total_seconds()
    described = describe(error, limit_s)
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
            now=clock.now(c),
        )
    return lambda c: execution.fail(c, job.job_id, job.attempt, described, clock.now(c))


def describe(error: BaseException, limit_s: float) -> JobError:
    """The error of a job whose work raised `error`: who has to do something about it, and what."""
    from harken.audio import InputError

    match error:
        case InputError():
            return JobError(kind=ErrorKind.INPUT, reason=error.reason, message=error.message)
        case SourceUnreachable():
            message = f"Fetching failed: {error}."
            return JobError(kind=ErrorKind.TRANSIENT, reason=error.reason, message=message)
        case SourceError():
            return JobError(kind=ErrorKind.INPUT, reason=error.reason, message=str(error))
        case SoftTimeLimitExceeded() | OutOfTime():
            return execution.timeout_error(limit_s)
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
        case StorageError():
            return JobError(
                kind=ErrorKind.TRANSIENT, reason="STORAGE_UNAVAILABLE", message=str(error)
            )
        case OperationalError() | InterfaceError() | RedisConnectionError() | RedisTimeoutError():
            return _unavailable(error)
        case DBAPIError() if error.connection_invalidated:
            return _unavailable(error)
        case _:
            message = f"{type(error).__name__}: {error}. The worker's log has the traceback."
            return JobError(kind=ErrorKind.INTERNAL, reason="UNEXPECTED_ERROR", message=message)


def _unavailable(error: BaseException) -> JobError:
    cause = getattr(error, "orig", None) or error  # without the statement and what it was to write
    return JobError(
        kind=ErrorKind.TRANSIENT,
        reason="SERVICE_UNAVAILABLE",
        message=f"The database or Redis did not answer ({type(cause).__name__}: {cause}).",
    )
