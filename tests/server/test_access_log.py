"""One line for each call: what was called, by whom, how it ended, how long it took, and the job it was about."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from harken.telemetry import logs
from harken.v1.job_service_pb2 import CancelJobRequest, GetJobRequest, ListJobsRequest
from tests.server.conftest import Served


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the server logs, in JSON."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.formatter("json"))
    logger = logging.getLogger("harken.access")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield stream
    logger.removeHandler(handler)
    logger.setLevel(before)


async def lines(log: io.StringIO, number: int) -> list[dict[str, Any]]:
    """The lines, once there are so many."""
    async with asyncio.timeout(20):
        while len(log.getvalue().splitlines()) < number:  # noqa: ASYNC110 # the server logs after it has answered
            await asyncio.sleep(0.01)
    return [json.loads(line) for line in log.getvalue().splitlines()]


async def test_each_call_has_one_line_with_the_job_it_is_about(
    served: Served, log: io.StringIO
) -> None:
    job_id = await served.submit()
    await served.jobs.ListJobs(ListJobsRequest())
    with pytest.raises(grpc.aio.AioRpcError):
        await served.jobs.GetJob(GetJobRequest(job_id="nonsense"))

    submit, list_, get = await lines(log, 3)

    assert submit["method"] == "/harken.v1.JobService/SubmitAnalysis"
    assert (submit["code"], submit["owner"], submit["job_id"]) == ("OK", "local", job_id)
    assert submit["duration_ms"] > 0
    assert "peer" in submit
    # The next call is about no job, though it came over the same connection.
    assert (list_["code"], "job_id" in list_) == ("OK", False)
    assert get["code"] == "INVALID_ARGUMENT"


async def test_a_stream_has_one_line_at_its_end(served: Served, log: io.StringIO) -> None:
    job_id = await served.submit()
    stream = served.watch(job_id=job_id)
    await stream.read()
    await served.jobs.CancelJob(CancelJobRequest(job_id=job_id))
    while await stream.read() is not grpc.aio.EOF:
        pass

    found = await lines(log, 3)

    (ended,) = [line for line in found if line["method"].endswith("/StreamProgress")]
    assert (ended["code"], ended["job_id"]) == ("OK", job_id)


async def test_a_line_has_nothing_of_the_request_but_the_job(
    served: Served, log: io.StringIO
) -> None:
    await served.submit()
    (line,) = await lines(log, 1)
    assert "one.wav" not in str(line)
