"""`AsyncClient.collections`: what collections of analyses are like. Its twin is `harken.client.sync_collections`."""

# ruff: noqa: ASYNC109  # the timeouts are gRPC's deadlines, which the server learns of

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from harken.client.async_exports import AsyncCall
from harken.client.async_handle import AsyncJobHandle
from harken.client.collection import CollectionStatistics
from harken.client.collection_request import collection_filter, create_report, get_statistics
from harken.client.enums import JobState
from harken.client.requests import BatchRef

if TYPE_CHECKING:
    from harken.client.aio import AsyncClient


class AsyncCollections:
    """The calls of CollectionService, on a client."""

    def __init__(self, client: AsyncClient, call: AsyncCall) -> None:
        self._client = client
        self._call = call

    async def statistics(
        self,
        *,
        batch: BatchRef | None = None,
        states: Iterable[JobState | str] | str | None = None,
        labels: Mapping[str, str] | None = None,
        ended_after: datetime | None = None,
        ended_before: datetime | None = None,
        timeout: float | None = None,
    ) -> CollectionStatistics:
        """What a batch is like, or what matches, or all that the caller has; of at most 20,000 jobs.

        Of more it raises RequestRefused with the reason COLLECTION_TOO_LARGE: submit a report then.
        """
        where = collection_filter(
            batch=batch,
            states=states,
            labels=labels,
            ended_after=ended_after,
            ended_before=ended_before,
        )
        return await self._call(get_statistics(where), timeout)

    async def submit_report(
        self,
        *,
        title: str = "",
        batch: BatchRef | None = None,
        states: Iterable[JobState | str] | str | None = None,
        labels: Mapping[str, str] | None = None,
        ended_after: datetime | None = None,
        ended_before: datetime | None = None,
        priority: int | None = None,
        request_id: str | UUID | None = None,
        timeout: float | None = None,
    ) -> AsyncJobHandle:
        """Accepts a report, as a job whose artifacts are report.html and statistics.json.

        Of any number of jobs; the title is by default what the filter is.
        """
        where = collection_filter(
            batch=batch,
            states=states,
            labels=labels,
            ended_after=ended_after,
            ended_before=ended_before,
        )
        call = create_report(where, title=title, priority=priority, request_id=request_id)
        return AsyncJobHandle(self._client, await self._call(call, timeout))
