"""`Client.collections`: what collections of analyses are like. Its twin is `harken.client.async_collections`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from harken.client.collection import CollectionStatistics
from harken.client.collection_request import collection_filter, create_report, get_statistics
from harken.client.enums import JobState
from harken.client.exports import Call
from harken.client.handle import JobHandle
from harken.client.requests import BatchRef

if TYPE_CHECKING:
    from harken.client.sync import Client


class Collections:
    """The calls of CollectionService, on a client."""

    def __init__(self, client: Client, call: Call) -> None:
        self._client = client
        self._call = call

    def statistics(
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
        return self._call(get_statistics(where), timeout)

    def submit_report(
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
    ) -> JobHandle:
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
        return JobHandle(self._client, self._call(call, timeout))
