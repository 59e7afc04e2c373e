"""However a stream ends, the server is left with nothing of it: no watcher, subscription, task, timer or memory."""

import asyncio
import gc
import tracemalloc
from collections import Counter
from collections.abc import Awaitable, Callable

import grpc
import pytest

from harken.server.progress.batch_stream import BatchStream
from harken.server.progress.item_stream import ItemStream
from harken.server.progress.job_stream import JobStream
from harken.server.progress.wakeups import Wakeups
from harken.server.progress.watcher import Watcher
from harken.server.serve import running_server
from harken.settings import Settings
from harken.v1.job_service_pb2 import StreamProgressRequest
from harken.v1.job_service_pb2_grpc import JobServiceStub
from tests.server.conftest import Served, WorkerHands, until

STREAMS = 200  # of each way to end
# What caches and pools may still grow by. An open stream takes 13,000 bytes of what is traced here.
LEFT_BYTES = 2_000 * STREAMS
OWNED = (Watcher, Wakeups, JobStream, BatchStream, ItemStream)


def left() -> Counter[str]:
    """What there is of streams in this process, where the server runs too."""
    gc.collect()
    # By type: isinstance would ask what stands behind a weak proxy, which may have gone.
    found = Counter(type(one).__name__ for one in gc.get_objects() if type(one) in OWNED)
    timers = asyncio.get_running_loop()._scheduled  # pyright: ignore[reportAttributeAccessIssue] # no other way
    found["timers"] = sum("Wakeups" in repr(timer) for timer in timers if not timer.cancelled())
    found["tasks"] = sum("rpc" in repr(task.get_coro()) for task in asyncio.all_tasks())
    return found


async def read_to_the_end(stream) -> None:
    """Reads all there is."""
    while await stream.read() is not grpc.aio.EOF:
        pass


async def first_message(stream) -> None:
    """Reads what comes at once."""
    await stream.read()


async def cancelled(stub: JobServiceStub, request: StreamProgressRequest) -> None:
    """A stream that its caller cancels."""
    stream = stub.StreamProgress(request)
    await first_message(stream)
    stream.cancel()


async def cancelled_at_once(stub: JobServiceStub, request: StreamProgressRequest) -> None:
    """A stream that its caller cancels before the first message."""
    stream = stub.StreamProgress(request)
    await asyncio.sleep(0)
    stream.cancel()


async def overdue(stub: JobServiceStub, request: StreamProgressRequest) -> None:
    """A stream whose deadline passes."""
    stream = stub.StreamProgress(request, timeout=0.3)
    with pytest.raises(grpc.aio.AioRpcError) as ended:
        await read_to_the_end(stream)
    assert ended.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


@pytest.fixture
async def watched(served: Served) -> tuple[Served, list[StreamProgressRequest]]:
    """A server, and what its streams are opened on: jobs that run and wait, a batch, and one with its items."""
    batch_id, jobs = await served.submit_batch(10)
    for job_id in jobs[:5]:
        served.hands.claim(job_id)
    targets = [StreamProgressRequest(job_id=job_id) for job_id in jobs]
    targets += [StreamProgressRequest(batch_id=batch_id)] * 5
    targets += [StreamProgressRequest(batch_id=batch_id, include_items=True)] * 5
    return served, targets


async def all_at_once(
    end: Callable[[JobServiceStub, StreamProgressRequest], Awaitable[None]],
    stub: JobServiceStub,
    targets: list[StreamProgressRequest],
) -> None:
    """Opens and ends STREAMS streams."""
    await asyncio.gather(*(end(stub, targets[n % len(targets)]) for n in range(STREAMS)))


@pytest.mark.parametrize("end", [cancelled, cancelled_at_once, overdue])
async def test_a_stream_that_its_caller_ends_leaves_nothing(
    watched: tuple[Served, list[StreamProgressRequest]],
    end: Callable[[JobServiceStub, StreamProgressRequest], Awaitable[None]],
) -> None:
    served, targets = watched
    for _ in range(2):  # what is made once is made now
        await all_at_once(end, served.jobs, targets)
    await until(lambda: not +left() and served.subscriptions() == 0)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        await all_at_once(end, served.jobs, targets)
        await until(lambda: not +left() and served.subscriptions() == 0)
        await until(lambda: tracemalloc.get_traced_memory()[0] - before < LEFT_BYTES, within_s=30)
    finally:
        tracemalloc.stop()


async def test_streams_of_a_connection_that_is_closed_leave_nothing(
    watched: tuple[Served, list[StreamProgressRequest]],
) -> None:
    served, targets = watched
    async with grpc.aio.insecure_channel(
        served.settings.listen, [("grpc.use_local_subchannel_pool", 1)]
    ) as channel:
        stub = JobServiceStub(channel)
        streams = [stub.StreamProgress(target) for target in targets]
        await asyncio.gather(*(first_message(stream) for stream in streams))
        assert left()["Watcher"] == len(targets)
        await until(lambda: served.subscriptions() == 10)
    await until(lambda: not +left() and served.subscriptions() == 0)


async def test_streams_of_a_server_that_stops_leave_nothing(settings: Settings) -> None:
    hands = WorkerHands(settings)
    async with running_server(settings) as address:
        channel = grpc.aio.insecure_channel(address)
        served = Served(settings, JobServiceStub(channel), hands)
        job_id = await served.submit()
        batch_id, _ = await served.submit_batch(2)
        streams = [
            served.watch(job_id=job_id),
            served.watch(batch_id=batch_id),
            served.watch(batch_id=batch_id, include_items=True),
        ]
        await asyncio.gather(*(first_message(stream) for stream in streams))
    for stream in streams:
        with pytest.raises(grpc.aio.AioRpcError) as ended:
            await stream.read()
        assert ended.value.code() is grpc.StatusCode.UNAVAILABLE
    await until(lambda: not +left())
    await channel.close()
    hands.close()
