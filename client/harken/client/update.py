"""What `watch` yields: how the target stands, and what happens to it.

    JobSnapshot     the job as a whole: first, and again when a stream had to start afresh
    Transition      the job changed its state
    ProgressTick    the worker got further
    BatchSnapshot   the counts of a batch, each time they have changed

`watch_batch` yields the last of them only, `watch_items` all but the first.
`resume_token` says where a later watch can take over after this update: `client.watch(job,
resume_token=...)`. `str(update)` is a line for people.
"""

from dataclasses import dataclass
from datetime import datetime

from harken.client.batch import Batch
from harken.client.enums import JobState
from harken.client.job import Job, JobError, Progress


@dataclass(frozen=True, kw_only=True)
class JobSnapshot:
    """How a job stands, without its result."""

    job: Job
    resume_token: str = ""

    def __str__(self) -> str:
        job = self.job
        if job.state == JobState.RUNNING and job.progress is not None:
            return f"{job.state} {job.progress}"
        if job.state == JobState.FAILED and job.error is not None:
            return f"{job.state}: {job.error}"
        return str(job.state)


@dataclass(frozen=True, kw_only=True)
class Transition:
    """A job changed its state."""

    job_id: str
    revision: int
    """The job's revision that the change made."""
    attempt: int
    time: datetime | None = None
    from_state: JobState | None = None
    """None when the job was made."""
    to_state: JobState
    error: JobError | None = None
    """Why, when the change is to FAILED, or back to QUEUED."""
    resume_token: str = ""

    def __str__(self) -> str:
        return f"{self.to_state}: {self.error}" if self.error else str(self.to_state)


@dataclass(frozen=True, kw_only=True)
class ProgressTick:
    """A job's worker got further."""

    job_id: str
    revision: int
    """The job's revision at which this was seen."""
    attempt: int
    time: datetime | None = None
    progress: Progress
    resume_token: str = ""

    def __str__(self) -> str:
        return str(self.progress)


@dataclass(frozen=True, kw_only=True)
class BatchSnapshot:
    """How a batch stands."""

    batch: Batch
    resume_token: str = ""

    def __str__(self) -> str:
        b = self.batch
        return (
            f"{b.ended} of {b.total} done: {b.succeeded} succeeded, {b.failed} failed, "
            f"{b.cancelled} cancelled, {b.running} running, {b.queued} queued"
        )


JobUpdate = JobSnapshot | Transition | ProgressTick
BatchUpdate = BatchSnapshot | Transition | ProgressTick
Update = JobUpdate | BatchSnapshot
