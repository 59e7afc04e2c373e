"""What an owner may have, as a caller meets it: refused with what it is about and when to come back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from harken.client import AsyncClient, LimitExceeded
from harken.server.access.quotas import Pace, quota
from harken.server.serve import running_server
from harken.settings import Settings
from harken.v1.job_service_pb2 import (
    ListJobsRequest,
    StreamProgressRequest,
    SubmitAnalysisRequest,
)
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
            await client.submit("one.wav", timeout=1.5)  # less than it is asked to wait
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


async def test_an_owner_uses_as_many_connections_as_it_may_and_another_its_own(
    settings: Settings,
) -> None:
    keys = {owner: make_key(settings, owner) for owner in ("ann", "bob")}
    async with (
        serving(
            settings,
            listen="127.0.0.1:0",  # over a socket all are one peer
            authentication="keys",
            quota_connections="2,bob=3",
        ) as address,
        AsyncExitStack() as stack,
    ):

        async def connection() -> JobServiceStub:
            own = [("grpc.use_local_subchannel_pool", 1)]  # else channels share a connection
            channel = grpc.aio.insecure_channel(address, options=own)
            return JobServiceStub(await stack.enter_async_context(channel))

        async def watched(jobs: JobServiceStub, owner: str) -> grpc.aio.UnaryStreamCall:
            stream = jobs.StreamProgress(of[owner], metadata=bearer(keys[owner]))
            await stream.read()
            return stream

        first = await connection()
        of = {
            owner: StreamProgressRequest(
                job_id=(await first.SubmitAnalysis(REQUEST, metadata=bearer(key))).job.job_id
            )
            for owner, key in keys.items()
        }
        second, third = await connection(), await connection()
        streams = [await watched(jobs, "ann") for jobs in (first, first, second)]

        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await third.ListJobs(ListJobsRequest(), metadata=bearer(keys["ann"]))
        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert quota_of(refused.value) == "connections"
        for jobs in (first, second, third):
            await watched(jobs, "bob")

        streams[2].cancel()

        async with asyncio.timeout(20):
            while True:
                try:
                    await third.ListJobs(ListJobsRequest(), metadata=bearer(keys["ann"]))
                    break
                except grpc.aio.AioRpcError:
                    await asyncio.sleep(0.01)


def quota_of(refused: grpc.aio.AioRpcError) -> str:
    trailing = dict(refused.trailing_metadata() or ())
    status = status_pb2.Status.FromString(trailing["grpc-status-details-bin"])
    info, failure = error_details_pb2.ErrorInfo(), error_details_pb2.QuotaFailure()
    assert status.details[0].Unpack(info)
    assert status.details[1].Unpack(failure)
    return info.metadata["quota"]


async def test_bytes_are_kept_up_to_the_quota_and_a_file_too_many_leaves_nothing(
    settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "file.wav"
    async with (
        serving(settings, quota_stored_bytes="1k") as address,
        AsyncClient(address) as client,
    ):
        file.write_bytes(b"a" * 700)
        await client.media.upload(file)
        file.write_bytes(b"b" * 400)
        with pytest.raises(LimitExceeded, match="1,000 that it may") as refused:
            await client.media.upload(file)
        assert refused.value.reason == "QUOTA_EXCEEDED"
        file.write_bytes(b"b" * 300)
        assert (await client.media.upload(file)).size == 300


async def test_of_uploads_at_once_no_more_are_kept_than_may(
    settings: Settings, tmp_path: Path
) -> None:
    files = [tmp_path / f"{number}.wav" for number in range(6)]
    for number, file in enumerate(files):
        file.write_bytes(bytes([number]) * 400)
    async with (
        serving(settings, quota_stored_bytes="1k") as address,
        AsyncClient(address) as client,
    ):
        outcomes = await asyncio.gather(
            *(client.media.upload(file) for file in files), return_exceptions=True
        )
        kept = [one for one in outcomes if not isinstance(one, BaseException)]
        assert len(kept) <= 2
        assert all(isinstance(one, LimitExceeded) for one in outcomes if one not in kept)
