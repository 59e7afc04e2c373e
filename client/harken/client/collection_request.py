"""What the arguments of CollectionService's calls mean as requests: shared by the sync and the asyncio client."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from google.protobuf.json_format import Parse

from harken.client import requests
from harken.client.collection import CollectionStatistics
from harken.client.convert import decode
from harken.client.enums import JobState
from harken.client.job import Job
from harken.client.requests import BatchRef
from harken.client.rpc import Rpc
from harken.v1 import collection_pb2
from harken.v1 import collection_service_pb2 as pb


def collection_filter(
    *,
    batch: BatchRef | None,
    states: Iterable[JobState | str] | str | None,
    labels: Mapping[str, str] | None,
    ended_after: datetime | None,
    ended_before: datetime | None,
) -> pb.CollectionFilter:
    """The filter of a collection."""
    wanted: Any = requests.job_states(states)
    return requests.valid(
        pb.CollectionFilter,
        batch_id=None if batch is None else requests.batch_id_of(batch),
        states=[requests.number_of(state) for state in wanted],
        labels=labels,
        ended_after=requests.moment(ended_after),
        ended_before=requests.moment(ended_before),
    )


def get_statistics(where: pb.CollectionFilter) -> Rpc[CollectionStatistics]:
    """The statistics of a collection."""
    return Rpc(
        lambda on: on.collections.GetStatistics,
        pb.GetStatisticsRequest(filter=where),
        lambda got: decode(CollectionStatistics, got.statistics),
    )


def create_report(
    where: pb.CollectionFilter,
    *,
    title: str,
    priority: int | None,
    request_id: str | UUID | None,
) -> Rpc[Job]:
    """Accepts a report, with a request_id in any case, so that repeating it is safe."""
    request = requests.valid(
        pb.CreateReportRequest,
        request_id=str(request_id or uuid4()),
        filter=where,
        title=title,
        priority=priority,
    )
    return Rpc(lambda on: on.collections.CreateReport, request, lambda got: decode(Job, got.job))


def statistics_of(text: bytes | str) -> CollectionStatistics:
    """The statistics in a report's statistics.json."""
    message = Parse(text, collection_pb2.CollectionStatistics(), ignore_unknown_fields=True)
    return decode(CollectionStatistics, message)
