"""What an error means for the job whose work raised it."""

import logging
import random

from celery.exceptions import SoftTimeLimitExceeded
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from harken.jobs import clock, execution
from harken.jobs.job import ErrorKind, Job, JobError
from harken.media import SourceError
from harken.media.source_errors import SourceUnreachable
from harken.settings import Settings
from harken.tasks.progress import OutOfTime
from harken.tasks.work import Ending, WorkFailed

LOG = logging.getLogger(__name__)

OUT_OF_MEMORY = "OUT_OF_MEMORY"


def ending_of(error: BaseException, settings: Settings, job: Job) -> Ending:
    """The write that an error leads to."""
    limit_s = settings.task_soft_time_limit_s
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
            max_retries=settings.max_retries,
            chance=random.random(),
            now=clock.now(c),
        )
    return lambda c: execution.fail(c, job.job_id, job.attempt, described, clock.now(c))


def describe(error: BaseException, limit_s: float) -> JobError:
    """The error of a job whose work raised `error`: who has to do something about it, and what."""
    from harken.audio import AudioError
    from harken.media.storage_errors import StorageError

    match error:
        case WorkFailed():
            return error.error
        case AudioError():
            return JobError(kind=ErrorKind[error.kind], reason=error.reason, message=error.message)
        case SourceUnreachable():
            message = f"Fetching failed: {error}."
            return JobError(kind=ErrorKind.TRANSIENT, reason=error.reason, message=message)
        case SourceError():
            return JobError(kind=ErrorKind.INPUT, reason=error.reason, message=str(error))
        case SoftTimeLimitExceeded() | OutOfTime():
            return execution.timeout_error(limit_s)
        case MemoryError():
            message = "The memory did not suffice. Run the worker with more, or the file in parts."
            return JobError(kind=ErrorKind.INTERNAL, reason=OUT_OF_MEMORY, message=message)
        case StorageError():
            return JobError(
                kind=ErrorKind.TRANSIENT, reason="STORAGE_UNAVAILABLE", message=str(error)
            )
        case OSError():  # ConnectionError and TimeoutError are OSErrors too
            reason = type(error).__name__
            return JobError(
                kind=ErrorKind.TRANSIENT,
                reason="IO_ERROR",
                message=f"Reading failed ({reason}: {error}).",
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
