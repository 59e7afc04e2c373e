"""CollectionService: what a collection of analyses is like, at once or as a report that a job makes."""

from time import monotonic

from google.protobuf.json_format import ParseDict
from sqlalchemy import Connection

from harken.jobs import clock, queries, submission
from harken.jobs.collection.extent import extent_of, has_more_than
from harken.jobs.collection.rows import Collection, page, pages
from harken.jobs.collection.statistics import Statistics
from harken.jobs.errors import CollectionTooLarge
from harken.server import collections, convert, filters
from harken.server.access.quotas import Quotas
from harken.server.caller import current_caller
from harken.server.interceptors.around import Context
from harken.server.progress.hub import Hub
from harken.server.store import Store
from harken.telemetry import logs
from harken.v1 import collection_service_pb2 as messages
from harken.v1.collection_pb2 import CollectionStatistics
from harken.v1.collection_service_pb2_grpc import CollectionServiceServicer

MOST_JOBS = 20_000  # of a collection whose statistics are told at once
LONGEST_READ_S = 5.0  # others wait behind it


class CollectionService(CollectionServiceServicer):
    """The servicer of CollectionService."""

    def __init__(self, store: Store, hub: Hub, quotas: Quotas) -> None:
        self._store = store
        self._quotas = quotas
        self._hub = hub

    async def GetStatistics(
        self, request: messages.GetStatisticsRequest, context: Context
    ) -> messages.GetStatisticsResponse:
        """The statistics of a collection, read in one transaction."""
        where = filters.collection_filter(request.filter)
        collection = Collection(owner=current_caller().owner, where=where)
        within_s = _within_s(context.time_remaining())
        found = await self._store.read_long(lambda c: _statistics(c, collection, within_s))
        return messages.GetStatisticsResponse(statistics=found)

    async def CreateReport(
        self, request: messages.CreateReportRequest, context: Context
    ) -> messages.CreateReportResponse:
        """Accepts a report."""
        owner = current_caller().owner
        self._quotas.submits(owner)
        new = collections.new_report(request)
        if request.filter.HasField("batch_id"):
            batch_id = request.filter.batch_id.lower()
            await self._store.read(lambda c: queries.get_batch(c, batch_id, owner=owner))
        room = self._quotas.room
        job = await self._store.write(
            lambda c: submission.submit_job(c, new, owner=owner, now=clock.now(c), room=room)
        )
        logs.note(job_id=job.job_id)
        self._hub.ring()
        return messages.CreateReportResponse(job=convert.job_message(job))


def _within_s(remaining_s: float | None) -> float:
    """How long the reading may take of a caller who waits so long; None is for ever."""
    return LONGEST_READ_S if remaining_s is None else min(LONGEST_READ_S, remaining_s / 2)


def _statistics(
    connection: Connection, collection: Collection, within_s: float
) -> CollectionStatistics:
    """Raises BatchNotFound and CollectionTooLarge."""
    begun = monotonic()
    if collection.where.batch_id is not None:
        queries.get_batch(connection, collection.where.batch_id, owner=collection.owner)
    if has_more_than(connection, collection, MOST_JOBS):
        raise CollectionTooLarge(f"has more than {MOST_JOBS:,} jobs")
    statistics = Statistics()
    for rows in pages(
        lambda after_id, limit: page(connection, collection, after_id=after_id, limit=limit)
    ):
        statistics.add(rows)
        if monotonic() - begun > within_s:
            raise CollectionTooLarge(f"takes longer to read than {within_s:.1f} s")
    extent = extent_of(connection, collection)
    return ParseDict(statistics.to_dict(extent), CollectionStatistics())
