"""What the body of a job is given, and what it hands back: all that the kinds of jobs have in common."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection

from harken.jobs.job import ErrorKind, Job, JobError
from harken.settings import Settings
from harken.tasks.job_task import JobTask
from harken.tasks.measurement import Measuring
from harken.tasks.progress import ProgressReporter

T = TypeVar("T")


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


class WorkFailed(Exception):
    """A body cannot do its work, and says by itself what the job's error is."""

    def __init__(self, *, kind: ErrorKind, reason: str, message: str) -> None:
        super().__init__(message)
        self.error = JobError(kind=kind, reason=reason, message=message)


@dataclass(frozen=True, kw_only=True)
class Done:
    """What a body made.

    `result` is kept as the job's result. `alongside` runs in the transaction that ends the job, before its end is
    written, and has to see for itself that the attempt still holds the job: what it writes is there with the end, or
    not at all.
    """

    result: Mapping[str, Any] | None = None
    alongside: Callable[[Connection], object] | None = None


Body = Callable[[Work], Done]
