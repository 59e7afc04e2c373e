"""Handles of the asyncio client: a job or a batch together with the client that submitted it."""

# ruff: noqa: ASYNC109  # the timeouts are gRPC's deadlines, which the server learns of

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from harken.client.analysis_result import AnalysisResult
from harken.client.batch import Batch, FailedItem
from harken.client.handle import result_of
from harken.client.job import Job
from harken.client.update import BatchSnapshot, BatchUpdate, JobUpdate

if TYPE_CHECKING:
    from harken.client.aio import AsyncClient


class AsyncJobHandle:
    """A submitted job. `job` is how the server described it last."""

    def __init__(self, client: AsyncClient, job: Job) -> None:
        self._client = client
        self.job = job

    @property
    def job_id(self) -> str:
        """The job's UUID."""
        return self.job.job_id

    def __repr__(self) -> str:
        return f"AsyncJobHandle({self.job_id!r}, {self.job.state})"

    def watch(self, *, timeout: float | None = None) -> AsyncGenerator[JobUpdate]:
        """What happens to the job until it has ended; as `AsyncClient.watch`."""
        return self._client.watch(self, timeout=timeout)

    async def wait(self, timeout: float | None = None) -> Job:
        """Waits until the job has ended, in whatever way, and gives it with its result."""
        self.job = await self._client.wait(self, timeout=timeout)
        return self.job

    async def result(self, timeout: float | None = None) -> AnalysisResult:
        """Waits for the result. Raises JobFailed or JobCancelled when there is none."""
        return result_of(await self.wait(timeout))

    async def cancel(self) -> Job:
        """Asks for the job to be stopped."""
        self.job = await self._client.cancel_job(self)
        return self.job

    async def refresh(self) -> Job:
        """Asks the server how the job stands now."""
        self.job = await self._client.get_job(self)
        return self.job


class AsyncBatchHandle:
    """A submitted batch.

    `batch` is how the server counted it last, `failed_items` what it did not accept.
    """

    def __init__(
        self, client: AsyncClient, batch: Batch, failed_items: tuple[FailedItem, ...]
    ) -> None:
        self._client = client
        self.batch = batch
        self.failed_items = failed_items

    @property
    def batch_id(self) -> str:
        """The batch's UUID."""
        return self.batch.batch_id

    def __repr__(self) -> str:
        return f"AsyncBatchHandle({self.batch_id!r}, {self.batch.ended} of {self.batch.total})"

    def watch(self, *, timeout: float | None = None) -> AsyncGenerator[BatchSnapshot]:
        """The batch's counts, each time they have changed; as `AsyncClient.watch_batch`."""
        return self._client.watch_batch(self, timeout=timeout)

    def watch_items(self, *, timeout: float | None = None) -> AsyncGenerator[BatchUpdate]:
        """What happens to the batch and to each of its jobs; as `AsyncClient.watch_items`."""
        return self._client.watch_items(self, timeout=timeout)

    async def wait(self, timeout: float | None = None) -> Batch:
        """Waits until all of the batch's jobs have ended."""
        self.batch = await self._client.wait_batch(self, timeout=timeout)
        return self.batch

    async def cancel(self) -> Batch:
        """Asks for all of the batch's jobs to be stopped."""
        self.batch = await self._client.cancel_batch(self)
        return self.batch

    async def refresh(self) -> Batch:
        """Asks the server how the batch stands now."""
        self.batch = await self._client.get_batch(self)
        return self.batch
