"""ExportResults takes a filter and a format, and makes a job of it."""

import uuid
from datetime import UTC, datetime

import grpc
import pytest

from harken.jobs import queries
from harken.jobs.store.database import Database
from harken.v1 import job_pb2
from harken.v1.export_service_pb2 import ExportResultsRequest
from harken.v1.export_service_pb2_grpc import ExportServiceStub
from harken.v1.job_service_pb2 import GetJobRequest, ListJobsRequest
from tests.server.conftest import Served
from tests.server.test_redrive import refusal

CSV = ExportResultsRequest.FORMAT_CSV
NOBODY = "0197c0de-0000-7000-8000-000000000000"


@pytest.fixture
def exports(served: Served):  # the asyncio kind of stub
    """The stub of ExportService on the server's channel."""
    return ExportServiceStub(grpc.aio.insecure_channel(served.settings.listen))


def spec_of(served: Served, job_id: str) -> dict[str, object]:
    with Database(served.settings.database_url).read() as connection:
        return dict(queries.get_job(connection, job_id, owner="local").spec or {})


async def test_an_export_is_a_job_that_is_told_apart(served: Served, exports) -> None:
    analysis = await served.submit()
    job = (await exports.ExportResults(ExportResultsRequest(format=CSV))).job
    assert (job.kind, job.state) == (job_pb2.Job.KIND_EXPORT, job_pb2.JOB_STATE_QUEUED)
    assert not job.HasField("source")
    assert (await served.jobs.GetJob(GetJobRequest(job_id=job.job_id))).job.kind == job.kind

    async def listed(*kinds: job_pb2.Job.Kind.ValueType) -> list[str]:
        found = await served.jobs.ListJobs(ListJobsRequest(kinds=kinds))
        return [one.job_id for one in found.jobs]

    assert await listed(job_pb2.Job.KIND_EXPORT) == [job.job_id]
    assert await listed(job_pb2.Job.KIND_ANALYSIS) == [analysis]
    assert len(await listed()) == 2


async def test_the_filter_is_kept_as_it_was_asked_for(served: Served, exports) -> None:
    batch_id, _ = await served.submit_batch(2)
    after = datetime(2026, 1, 2, tzinfo=UTC)
    request = ExportResultsRequest(
        format=CSV,
        batch_id=batch_id.upper(),
        states=[job_pb2.JOB_STATE_FAILED],
        labels={"a": "b"},
        ended_after=after,
        priority=7,
    )
    job = (await exports.ExportResults(request)).job
    assert job.priority == 7
    assert spec_of(served, job.job_id) == {
        "format": "csv",
        "batch_id": batch_id,
        "states": ["FAILED"],
        "labels": {"a": "b"},
        "ended_after": after.isoformat(),
        "ended_before": None,
    }


async def test_without_states_it_is_of_what_went_well(served: Served, exports) -> None:
    job = (await exports.ExportResults(ExportResultsRequest(format=CSV))).job
    assert spec_of(served, job.job_id)["states"] == ["SUCCEEDED"]


async def test_a_repeated_request_id_makes_one_job(served: Served, exports) -> None:
    request = ExportResultsRequest(format=CSV, request_id=str(uuid.uuid4()))
    jobs = [(await exports.ExportResults(request)).job.job_id for _ in range(2)]
    assert len(set(jobs)) == 1
    request.format = ExportResultsRequest.FORMAT_JSONL
    code, reason, _ = await refusal(exports.ExportResults(request))
    assert (code, reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")


@pytest.mark.parametrize(
    ("fields", "reason", "field"),
    [
        ({"format": 0}, "UNKNOWN_FORMAT", "format"),
        ({"format": 77}, "UNKNOWN_FORMAT", "format"),
        ({"priority": 10}, "PRIORITY_OUT_OF_RANGE", "priority"),
        ({"request_id": "x"}, "MALFORMED_ID", "request_id"),
        ({"batch_id": "x"}, "MALFORMED_ID", "batch_id"),
        ({"states": [77]}, "UNKNOWN_STATE", "states[0]"),
        ({"labels": {"": "b"}}, "LABEL_KEY_LENGTH", "labels['']"),
        ({"ended_after": {"seconds": 10**15}}, "TIME_OUT_OF_RANGE", "ended_after"),
    ],
)
async def test_what_is_wrong_with_a_request_is_named(
    served: Served, exports, fields, reason, field
) -> None:
    request = ExportResultsRequest(**{"format": CSV, **fields})
    code, found, fields = await refusal(exports.ExportResults(request))
    assert (code, found, fields) == (grpc.StatusCode.INVALID_ARGUMENT, reason, [field])


async def test_a_batch_that_is_not_there_is_said_so(served: Served, exports) -> None:
    request = ExportResultsRequest(format=CSV, batch_id=NOBODY)
    code, reason, _ = await refusal(exports.ExportResults(request))
    assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "BATCH_NOT_FOUND")


async def test_a_list_of_an_unknown_kind_is_refused(served: Served) -> None:
    _, reason, fields = await refusal(served.jobs.ListJobs(ListJobsRequest(kinds=[77])))
    assert (reason, fields) == ("UNKNOWN_JOB_KIND", ["kinds[0]"])
