"""GetStatistics counts what a filter finds, up to a bound; CreateReport makes a job of it."""

import asyncio
import uuid

import grpc
import pytest
from sqlalchemy import text

from harken.jobs import queries
from harken.jobs.store.database import Database
from harken.server import collection_service
from harken.v1 import job_pb2
from harken.v1.collection_service_pb2 import (
    CollectionFilter,
    CreateReportRequest,
    GetStatisticsRequest,
)
from harken.v1.collection_service_pb2_grpc import CollectionServiceStub
from harken.v1.job_service_pb2 import ListJobsRequest
from tests.server.conftest import Served
from tests.server.test_redrive import refusal

NOBODY = "0197c0de-0000-7000-8000-000000000000"


@pytest.fixture
def collections(served: Served):  # the asyncio kind of stub
    """The stub of CollectionService on the server's channel."""
    return CollectionServiceStub(grpc.aio.insecure_channel(served.settings.listen))


async def test_a_batch_is_counted(served: Served, collections) -> None:
    batch_id, jobs = await served.submit_batch(3)
    await served.submit()
    with served.hands.database.write() as connection:
        connection.execute(text('UPDATE harken_jobs SET labels = \'{"a": "b"}\''))
    await asyncio.to_thread(lambda: served.hands.succeed(served.hands.claim(jobs[0])))

    async def counted(**where) -> dict[str, int]:
        request = GetStatisticsRequest(filter=CollectionFilter(**where))
        found = (await collections.GetStatistics(request)).statistics
        assert found.job_count == sum(one.count for one in found.states.shares)
        return {one.name: one.count for one in found.states.shares}

    assert await counted(batch_id=batch_id.upper()) == {"QUEUED": 2, "SUCCEEDED": 1}
    assert await counted() == {"QUEUED": 3, "SUCCEEDED": 1}
    assert await counted(states=[job_pb2.JOB_STATE_SUCCEEDED]) == {"SUCCEEDED": 1}
    assert await counted(labels={"a": "b"}) == {"QUEUED": 3, "SUCCEEDED": 1}
    assert await counted(labels={"a": "c"}) == {}


async def test_the_times_of_a_collection_are_those_of_its_first_and_last_end(
    served: Served, collections
) -> None:
    job_id = await served.submit()
    nothing = (await collections.GetStatistics(GetStatisticsRequest())).statistics
    assert not nothing.HasField("first_end_time")
    await asyncio.to_thread(lambda: served.hands.succeed(served.hands.claim(job_id)))
    found = (await collections.GetStatistics(GetStatisticsRequest())).statistics
    assert found.first_end_time == found.last_end_time
    assert found.result_count == 1


async def test_reports_and_exports_are_not_counted(served: Served, collections) -> None:
    await collections.CreateReport(CreateReportRequest())
    found = (await collections.GetStatistics(GetStatisticsRequest())).statistics
    assert found.job_count == 0


async def test_a_large_collection_is_sent_to_a_report(
    served: Served, collections, monkeypatch: pytest.MonkeyPatch
) -> None:
    await served.submit_batch(3)
    monkeypatch.setattr(collection_service, "MOST_JOBS", 3)
    await collections.GetStatistics(GetStatisticsRequest())
    monkeypatch.setattr(collection_service, "MOST_JOBS", 2)
    code, reason, _ = await refusal(collections.GetStatistics(GetStatisticsRequest()))
    assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "COLLECTION_TOO_LARGE")


async def test_what_takes_too_long_to_read_is_sent_to_a_report(
    served: Served, collections, monkeypatch: pytest.MonkeyPatch
) -> None:
    await served.submit()
    monkeypatch.setattr(collection_service, "LONGEST_READ_S", 0.0)
    code, reason, _ = await refusal(collections.GetStatistics(GetStatisticsRequest()))
    assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "COLLECTION_TOO_LARGE")


async def test_a_report_is_a_job_with_its_filter(served: Served, collections) -> None:
    batch_id, _ = await served.submit_batch(2)
    request = CreateReportRequest(
        filter=CollectionFilter(batch_id=batch_id, labels={"a": "b"}), title="All", priority=7
    )
    job = (await collections.CreateReport(request)).job
    assert (job.kind, job.state) == (job_pb2.Job.KIND_REPORT, job_pb2.JOB_STATE_QUEUED)
    assert (job.priority, job.HasField("source")) == (7, False)
    listed = await served.jobs.ListJobs(ListJobsRequest(kinds=[job_pb2.Job.KIND_REPORT]))
    assert [one.job_id for one in listed.jobs] == [job.job_id]
    with Database(served.settings.database_url).read() as connection:
        spec = queries.get_job(connection, job.job_id, owner="local").spec
    assert spec == {
        "title": "All",
        "batch_id": batch_id,
        "states": [],
        "labels": {"a": "b"},
        "ended_after": None,
        "ended_before": None,
    }


async def test_a_repeated_request_id_makes_one_report(served: Served, collections) -> None:
    request = CreateReportRequest(request_id=str(uuid.uuid4()))
    jobs = [(await collections.CreateReport(request)).job.job_id for _ in range(2)]
    assert len(set(jobs)) == 1
    request.title = "Another"
    code, reason, _ = await refusal(collections.CreateReport(request))
    assert (code, reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")


WRONG = [
    ({"batch_id": "x"}, "MALFORMED_ID", "filter.batch_id"),
    ({"states": [77]}, "UNKNOWN_STATE", "filter.states[0]"),
    ({"labels": {"": "b"}}, "LABEL_KEY_LENGTH", "filter.labels['']"),
    ({"ended_after": {"seconds": 10**15}}, "TIME_OUT_OF_RANGE", "filter.ended_after"),
]


@pytest.mark.parametrize(("fields", "reason", "field"), WRONG)
async def test_what_is_wrong_with_a_filter_is_named(
    served: Served, collections, fields, reason, field
) -> None:
    where = CollectionFilter(**fields)
    expected = (grpc.StatusCode.INVALID_ARGUMENT, reason, [field])
    asked = GetStatisticsRequest(filter=where), CreateReportRequest(filter=where)
    assert await refusal(collections.GetStatistics(asked[0])) == expected
    assert await refusal(collections.CreateReport(asked[1])) == expected


@pytest.mark.parametrize(
    ("fields", "reason", "field"),
    [
        ({"title": "x" * 201}, "TITLE_TOO_LONG", "title"),
        ({"title": "a\0b"}, "TITLE_NUL", "title"),
        ({"priority": 10}, "PRIORITY_OUT_OF_RANGE", "priority"),
        ({"request_id": "x"}, "MALFORMED_ID", "request_id"),
    ],
)
async def test_what_is_wrong_with_a_report_is_named(
    served: Served, collections, fields, reason, field
) -> None:
    found = await refusal(collections.CreateReport(CreateReportRequest(**fields)))
    assert found == (grpc.StatusCode.INVALID_ARGUMENT, reason, [field])


async def test_a_batch_that_is_not_there_is_said_so(served: Served, collections) -> None:
    where = CollectionFilter(batch_id=NOBODY)
    expected = (grpc.StatusCode.NOT_FOUND, "BATCH_NOT_FOUND")
    for call in (
        collections.GetStatistics(GetStatisticsRequest(filter=where)),
        collections.CreateReport(CreateReportRequest(filter=where)),
    ):
        code, reason, _ = await refusal(call)
        assert (code, reason) == expected
