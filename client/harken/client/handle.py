"""Handles: a job or a batch together with the client that submitted it."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from harken.client.analysis_result import AnalysisResult
from harken.client.batch import Batch, FailedItem
from harken.client.enums import JobState
from harken.client.errors import JobCancelled, JobFailed
from harken.client.job import Job
from harken.client.update import BatchSnapshot, BatchUpdate, JobUpdate

if TYPE_CHECKING:
    from harken.client.sync import Client


class JobHandle:
    """A submitted job. `job` is how the server described it last."""

    def __init__(self, client: Client, job: Job) -> None:
        self._client = client
        self.job = job

    @property
    def job_id(self) -> str:
        """The job's UUID."""
        return self.job.job_id

    def __repr__(self) -> str:
        return f"JobHandle({self.job_id!r}, {self.job.state})"

    def watch(self, *, timeout: float | None = None) -> Generator[JobUpdate]:
        """What happens to the job until it has ended; as `Client.watch`."""
        return self._client.watch(self, timeout=timeout)

    def wait(self, timeout: float | None = None) -> Job:
        """Waits until the job has ended, in whatever way, and gives it with its result."""
        self.job = self._client.wait(self, timeout=timeout)
        return self.job

    def result(self, timeout: float | None = None) -> AnalysisResult:
        """Waits for the result. Raises JobFailed or JobCancelled when there is none."""
        return result_of(self.wait(timeout))

    def cancel(self) -> Job:
        """Asks for the job to be stopped."""
        self.job = self._client.cancel_job(self)
        return self.job

    def refresh(self) -> Job:
        """Asks the server how the job stands now."""
        self.job = self._client.get_job(self)
        return self.job


class BatchHandle:
    """A submitted batch.

    `batch` is how the server counted it last, `failed_items` what it did not accept.
    """

    def __init__(self, client: Client, batch: Batch, failed_items: tuple[FailedItem, ...]) -> None:
        self._client = client
        self.batch = batch
        self.failed_items = failed_items

    @property
    def batch_id(self) -> str:
        """The batch's UUID."""
        return self.batch.batch_id

    def __repr__(self) -> str:
        return f"BatchHandle({self.batch_id!r}, {self.batch.ended} of {self.batch.total})"

    def watch(self, *, timeout: float | None = None) -> Generator[BatchSnapshot]:
        """The batch's counts, each time they have changed; as `Client.watch_batch`."""
        return self._client.watch_batch(self, timeout=timeout)

    def watch_items(self, *, timeout: float | None = None) -> Generator[BatchUpdate]:
        """What happens to the batch and to each of its jobs; as `Client.watch_items`."""
        return self._client.watch_items(self, timeout=timeout)

    def wait(self, timeout: float | None = None) -> Batch:
        """Waits until all of the batch's jobs have ended."""
        self.batch = self._client.wait_batch(self, timeout=timeout)
        return self.batch

    def cancel(self) -> Batch:
        """Asks for all of the batch's jobs to be stopped."""
        self.batch = self._client.cancel_batch(self)
        return self.batch

    def refresh(self) -> Batch:
        """Asks the server how the batch stands now."""
        self.batch = self._client.get_batch(self)
        return self.batch


def result_of(job: Job) -> AnalysisResult:
    """The result of a job that has ended. Raises JobFailed or JobCancelled when it has none."""
    if job.state is JobState.CANCELLED:
        raise JobCancelled(job)
    if job.state is not JobState.SUCCEEDED:
        raise JobFailed(job)
    return job.result or AnalysisResult()
