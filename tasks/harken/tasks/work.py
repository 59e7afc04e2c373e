"""What the body of a job is given, and what it hands back: all that the kinds of jobs have in common."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection

from harken.jobs import clock, execution
from harken.jobs.job import ErrorKind, Job, JobError
from harken.jobs.state import JobState
from harken.settings import Settings
from harken.tasks.job_task import JobTask
from harken.tasks.measurement import Measuring
from harken.tasks.progress import ProgressReporter

T = TypeVar("T")

# The write that ends an attempt; it returns the state written, None where the job was no longer the attempt's own.
Ending = Callable[[Connection], JobState | None]


@dataclass(frozen=True)
class OneStatement:
    """An ending that is a single statement where the database has one for it, and needs no transaction around it."""

    ending: Ending

    def __call__(self, connection: Connection) -> JobState | None:
        """Writes it."""
        return self.ending(connection)


@dataclass(frozen=True, kw_only=True)
class Work:
    """One attempt at a job, as its body sees it."""

    job: Job
    task: JobTask
    progress: ProgressReporter
    measuring: Measuring

    @property
    def settings(self) -> Settings:
        """The worker's settings."""
        return self.task.settings

    def report(self, stage: str, fraction: float, message: str) -> None:
        """Says how far it is; to be called often, since it raises Cancelled and OutOfTime when the work has to stop."""
        self.measuring.stopwatch.enter(stage)
        self.progress.report(stage, fraction, message)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Runs `work` in a write transaction."""
        return self.task.write(work)

    def read(self, work: Callable[[Connection], T]) -> T:
        """Runs `work` in a read transaction."""
        return self.task.read(work)

    def done(
        self,
        result: Mapping[str, Any] | None = None,
        *,
        content_key: str | None = None,
        alongside: Callable[[Connection], object] | None = None,
    ) -> Ending:
        """The write that ends an attempt well, with its result if it has one.

        `alongside` runs before it in the same transaction, and has to see for itself that the attempt still holds the
        job: what it writes is there with the end, or not at all.
        """
        job = self.job

        def write(connection: Connection) -> JobState | None:
            if alongside is not None:
                alongside(connection)
            return execution.succeed(
                connection,
                job.job_id,
                job.attempt,
                result,
                clock.now(connection),
                content_key=content_key,
            )

        return OneStatement(write) if alongside is None else write


class WorkFailed(Exception):
    """A body cannot do its work, and says by itself what the job's error is."""

    def __init__(self, *, kind: ErrorKind, reason: str, message: str) -> None:
        super().__init__(message)
        self.error = JobError(kind=kind, reason=reason, message=message)


# A body does the work and returns the write that ends the attempt: `Work.done`, where nothing else is to be said.
Body = Callable[[Work], Ending]
