"""What an owner may have, as a caller meets it: refused with what it is about and when to come back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from harken.client import AsyncClient, LimitExceeded
from harken.server.access.quotas import Pace, quota
from harken.server.serve import running_server
from harken.settings import Settings
from harken.v1.job_service_pb2 import StreamProgressRequest, SubmitAnalysisRequest
from harken.v1.job_service_pb2_grpc import JobServiceStub
from harken.v1.source_pb2 import Source
from tests.server.conftest import WorkerHands
from tests.server.guarded import bearer, make_key

REQUEST = SubmitAnalysisRequest(source=Source(path="one.wav"))


@asynccontextmanager
async def serving(settings: Settings, **fields: str) -> AsyncIterator[str]:
    """A server with these settings too."""
    async with running_server(replace(settings, **fields)) as address:
        yield address


async def test_a_refusal_says_which_quota_of_whom_and_when_to_try_again(
    settings: Settings,
) -> None:
    async with (
        serving(settings, quota_queued_jobs="1") as address,
        grpc.aio.insecure_channel(address) as channel,
    ):
        jobs = JobServiceStub(channel)
        await jobs.SubmitAnalysis(REQUEST)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await jobs.SubmitAnalysis(REQUEST)
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    trailing = dict(refused.value.trailing_metadata() or ())
    status = status_pb2.Status.FromString(trailing["grpc-status-details-bin"])
    info, failure, again = (
        error_details_pb2.ErrorInfo(),
        error_details_pb2.QuotaFailure(),
        error_details_pb2.RetryInfo(),
    )
    for detail, message in zip(status.details, (info, failure, again), strict=True):
        assert detail.Unpack(message)
    assert (info.reason, info.metadata["quota"]) == ("QUOTA_EXCEEDED", "queued_jobs")
    assert failure.violations[0].subject == "owner:local"
    assert again.retry_delay.ToTimedelta().total_seconds() > 0


async def test_a_client_waits_for_room_and_then_has_its_job(settings: Settings) -> None:
    hands = WorkerHands(settings)
    async with (
        serving(settings, quota_queued_jobs="1") as address,
        AsyncClient(address) as client,
    ):
        first = await client.submit("one.wav")
        second = asyncio.create_task(client.submit("one.wav"))
        with pytest.raises(LimitExceeded):
            await client.submit("one.wav", timeout=0.5)
        assert not second.done()
        hands.claim(first.job_id)
        assert (await asyncio.wait_for(second, 20)).job_id != first.job_id
    hands.close()


async def test_submits_come_no_faster_than_they_may(settings: Settings) -> None:
    async with (
        serving(settings, quota_submits_per_second="5") as address,
        AsyncClient(address) as client,
    ):
        loop = asyncio.get_running_loop()
        began = loop.time()
        await asyncio.gather(*(client.submit("one.wav") for _ in range(10)))
        assert loop.time() - began >= 0.9  # five at once, the others one after the other


def test_the_pace_of_one_owner_is_not_that_of_another() -> None:
    pace = Pace(quota("1,bob=none"), clock=lambda: 0.0)
    pace.check("ann")
    for _ in range(100):
        pace.check("bob")
    pace.check("eve")
    with pytest.raises(Exception, match="ann may submit 1 times a second"):
        pace.check("ann")


async def test_an_owner_has_as_many_streams_as_it_may_and_another_its_own(
    settings: Settings,
) -> None:
    keys = {owner: make_key(settings, owner) for owner in ("ann", "bob")}
    async with (
        serving(settings, authentication="keys", quota_streams="2") as address,
        grpc.aio.insecure_channel(address) as channel,
    ):
        jobs = JobServiceStub(channel)

        async def opened(owner: str) -> grpc.aio.UnaryStreamCall:
            job = (await jobs.SubmitAnalysis(REQUEST, metadata=bearer(keys[owner]))).job
            request = StreamProgressRequest(job_id=job.job_id)
            stream = jobs.StreamProgress(request, metadata=bearer(keys[owner]))
            await stream.read()
            return stream

        streams = [await opened("ann"), await opened("ann"), await opened("bob")]
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await opened("ann")
        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED

        streams[0].cancel()

        async with asyncio.timeout(20):
            while True:
                try:
                    await opened("ann")
                    break
                except grpc.aio.AioRpcError:
                    await asyncio.sleep(0.01)
