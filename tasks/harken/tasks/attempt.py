"""One attempt at a job of any kind: claim it, have its body do the work, write how it ended.

What the work is, is the body's affair: `kinds`. What an error means, `failure` says.
"""

import logging
import math
import os
from collections.abc import Callable
from datetime import datetime, timedelta

from celery.exceptions import Ignore
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from harken.jobs import clock, execution
from harken.jobs.failpoint import Point, failpoint
from harken.jobs.job import Job, JobKind
from harken.jobs.state import JobState
from harken.tasks import names
from harken.tasks.app import SETTINGS, app
from harken.tasks.failure import ending_of
from harken.tasks.job_task import JobTask
from harken.tasks.kinds import BODIES
from harken.tasks.measurement import CLAIM_LOST, REFUSED, Measuring, tell
from harken.tasks.progress import Cancelled, ProgressReporter, Tick
from harken.tasks.results import PROGRESS
from harken.tasks.soft_limit import SoftLimit
from harken.tasks.sources import shown
from harken.tasks.work import Ending, OneStatement, Work
from harken.telemetry import logs, tracing

LOG = logging.getLogger(__name__)

CELERYS_LIMIT_LATER_S = 10


def run_job(self: JobTask, job_id: str) -> dict[str, str]:
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


def _task_of(kind: JobKind) -> Callable[..., object]:
    """The Celery task of a kind; they differ by their names alone, which people see in Flower and in traces."""
    task = app.task(
        name=names.task_of(kind),
        bind=True,
        base=JobTask,
        # The guard kills at the limit; Celery's own way, which does not wait for the death, is there if it should fail.
        time_limit=SETTINGS.task_time_limit_s + CELERYS_LIMIT_LATER_S,
    )
    return task(run_job)


TASKS = {kind: _task_of(kind) for kind in JobKind}


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
    LOG.info("job %s attempt %d starts: %s", job_id, job.attempt, shown(job.source) or job.kind)
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
    tried: list[datetime] = []  # a try that is repeated may have been made without an answer

    def claim(connection: Connection) -> Job | None:
        now = clock.now(connection)
        before = tuple(tried)
        tried.append(now)
        return execution.claim(
            connection,
            job_id,
            worker=worker,
            pid=pid,
            now=now,
            lease=lease,
            tried=before,
            running=task.running,
        )

    # For ever: given up, the message would be lost, and the job wait for it.
    return task.write(claim, single=not task.running, within_s=math.inf)


def _end(task: JobTask, job: Job, ending: Ending) -> JobState | None:
    """Writes the end; of a result that cannot be written, that it cannot."""
    try:
        return task.write(ending, single=isinstance(ending, OneStatement))
    except (SystemExit, KeyboardInterrupt, OperationalError):
        raise
    except BaseException as error:
        return task.write(ending_of(error, task.settings, job))


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
        task.update_state(task_id=job.job_id, state=PROGRESS, meta=meta)

    def cancel_requested() -> bool:
        return task.query(lambda c: execution.cancel_requested(c, job.job_id, job.attempt))

    limit_s = job.run_timeout.total_seconds() if job.run_timeout else math.inf
    try:
        with (
            ProgressReporter(publish, cancel_requested, limit_s) as progress,
            soft_limit.interrupts(),
        ):
            work = Work(job=job, task=task, progress=progress, measuring=measuring)
            return BODIES[job.kind](work)
    except Cancelled:
        return lambda c: execution.stop(c, job.job_id, job.attempt, clock.now(c))
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:
        return ending_of(error, task.settings, job)
