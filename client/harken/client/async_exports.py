"""`AsyncClient.exports`: results as files. Its twin is `harken.client.exports`."""

# ruff: noqa: ASYNC109  # the timeouts are gRPC's deadlines, which the server learns of

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeVar
from uuid import UUID

from harken.client.async_handle import AsyncJobHandle
from harken.client.enums import JobState
from harken.client.export_format import ExportFormat
from harken.client.export_request import export_results
from harken.client.job import Job
from harken.client.requests import BatchRef
from harken.client.rpc import Rpc

if TYPE_CHECKING:
    from harken.client.aio import AsyncClient

T = TypeVar("T")


class AsyncCall(Protocol):
    """How a client makes a call."""

    async def __call__(self, call: Rpc[T], timeout: float | None) -> T:
        """The call's value."""
        ...


class AsyncExports:
    """The calls of ExportService, on a client."""

    def __init__(self, client: AsyncClient, call: AsyncCall) -> None:
        self._client = client
        self._call = call

    async def submit(
        self,
        *,
        format: ExportFormat | str = ExportFormat.PARQUET,  # noqa: A002 # what everybody calls it
        batch: BatchRef | None = None,
        states: Iterable[JobState | str] | str | None = None,
        labels: Mapping[str, str] | None = None,
        ended_after: datetime | None = None,
        ended_before: datetime | None = None,
        priority: int | None = None,
        request_id: str | UUID | None = None,
        timeout: float | None = None,
    ) -> AsyncJobHandle:
        """Accepts the export of a batch, or of what matches, as a job: its file is the job's only artifact.

        `states` None means SUCCEEDED.
        """
        call: Rpc[Job] = export_results(
            format=format,
            batch=batch,
            states=states,
            labels=labels,
            ended_after=ended_after,
            ended_before=ended_before,
            priority=priority,
            request_id=request_id,
        )
        return AsyncJobHandle(self._client, await self._call(call, timeout))
