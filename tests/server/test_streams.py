"""What watchers of a job get, whatever the order in which ticks and transitions arrive."""

import asyncio
import itertools
import os
import signal
from contextlib import suppress
from pathlib import Path

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from harken.embedded.redis_server import find_redis, redis_command
from harken.redis.connections import connect
from harken.server.serve import running_server
from harken.settings import Settings
from harken.v1 import job_pb2
from harken.v1.job_service_pb2_grpc import JobServiceStub
from tests.server.conftest import Served, WorkerHands, until


async def remaining(stream) -> list:
    """All events to the end of a stream."""
    events: list = []
    while (message := await stream.read()) is not grpc.aio.EOF:
        events += message.events.events
    return events


async def next_event(stream):  # a call of grpc.aio
    """The next event of a stream, past snapshots and bookmarks."""
    while True:
        message = await stream.read()
        assert message is not grpc.aio.EOF
        if message.events.events:
            assert len(message.events.events) == 1
            return message.events.events[0]


def shape(event) -> tuple[str, float]:
    """What an event tells, in short."""
    if event.HasField("progress"):
        return "tick", event.progress.fraction
    return "transition", event.transition.to


async def test_ticks_reach_the_watcher_as_they_are_reported(served: Served) -> None:
    job_id = await served.submit()
    job = served.hands.claim(job_id)
    stream = served.watch(job_id=job_id)
    await stream.read()

    for seq in range(1, 6):
        served.hands.tick(job, seq, seq / 10)
        event = await next_event(stream)
        assert (event.progress.message, event.attempt) == (f"tick {seq}", 1)

    served.hands.succeed(job)
    assert shape(await next_event(stream)) == ("transition", job_pb2.JOB_STATE_SUCCEEDED)
    assert await stream.read() is grpc.aio.EOF
    assert await stream.code() is grpc.StatusCode.OK


async def test_a_tick_that_is_older_than_the_last_one_is_dropped(served: Served) -> None:
    job_id = await served.submit()
    job = served.hands.claim(job_id)
    stream = served.watch(job_id=job_id)
    served.hands.tick(job, 5, 0.5)
    assert shape(await next_event(stream)) == ("tick", 0.5)

    served.hands.tick(job, 4, 0.4)
    served.hands.tick(job, 6, 0.6)

    assert shape(await next_event(stream)) == ("tick", 0.6)
    stream.cancel()


async def test_ticks_of_an_earlier_attempt_are_dropped(served: Served) -> None:
    job_id = await served.submit()
    first = served.hands.claim(job_id)
    stream = served.watch(job_id=job_id)
    served.hands.tick(first, 7, 0.7)
    assert shape(await next_event(stream)) == ("tick", 0.7)
    served.hands.lose(first)
    assert shape(await next_event(stream)) == ("transition", job_pb2.JOB_STATE_QUEUED)
    second = served.hands.claim(job_id)
    assert shape(await next_event(stream)) == ("transition", job_pb2.JOB_STATE_RUNNING)

    served.hands.tick(first, 8, 0.8)
    served.hands.tick(second, 1, 0.1)

    event = await next_event(stream)
    assert (shape(event), event.attempt) == (("tick", 0.1), 2)
    stream.cancel()


async def test_a_tick_before_the_transition_it_belongs_to_waits_for_it(served: Served) -> None:
    """Redis is faster than the log: the tick of an attempt nobody has heard of yet is kept."""
    job_id = await served.submit()
    stream = served.watch(job_id=job_id)
    await stream.read()
    with served.hands.database.read() as connection:
        from harken.jobs import queries

        queued = queries.get_job(connection, job_id, owner="local")
    served.hands.tick(queued, 1, 0.1, attempt=1)

    served.hands.claim(job_id)

    assert shape(await next_event(stream)) == ("transition", job_pb2.JOB_STATE_RUNNING)
    assert shape(await next_event(stream)) == ("tick", 0.1)
    stream.cancel()


async def test_a_tick_after_the_end_is_dropped(served: Served) -> None:
    job_id = await served.submit()
    job = served.hands.claim(job_id)
    served.hands.succeed(job)
    served.hands.tick(job, 9, 0.9)

    messages = [message async for message in served.watch(job_id=job_id)]

    assert [message.WhichOneof("message") for message in messages] == ["snapshot"]


async def test_who_joins_late_gets_the_newest_tick_without_waiting_for_another(
    served: Served,
) -> None:
    job_id = await served.submit()
    job = served.hands.claim(job_id)
    served.hands.tick(job, 3, 0.3)

    stream = served.watch(job_id=job_id)

    first, second = await stream.read(), await stream.read()
    assert first.snapshot.job.state == job_pb2.JOB_STATE_RUNNING
    assert second.events.events[0].progress.fraction == 0.3
    stream.cancel()


async def test_a_thousand_ticks_at_once_reach_a_slow_reader_as_the_newest(served: Served) -> None:
    job_id = await served.submit()
    job = served.hands.claim(job_id)
    stream = served.watch(job_id=job_id)
    await stream.read()

    await asyncio.to_thread(
        lambda: [served.hands.tick(job, seq, seq / 1000) for seq in range(1, 1001)]
    )
    await asyncio.to_thread(served.hands.succeed, job)
    events = await remaining(stream)

    ticks = [event.progress.fraction for event in events if event.HasField("progress")]
    assert ticks == sorted(set(ticks))
    assert shape(events[-1]) == ("transition", job_pb2.JOB_STATE_SUCCEEDED)


async def test_a_transition_that_nobody_rang_for_arrives_all_the_same(served: Served) -> None:
    job_id = await served.submit()
    job = served.hands.claim(job_id)
    stream = served.watch(job_id=job_id)
    await stream.read()

    served.hands.succeed(job, ring=False)

    async with asyncio.timeout(3):
        assert shape(await next_event(stream)) == ("transition", job_pb2.JOB_STATE_SUCCEEDED)


async def test_with_redis_gone_submits_are_accepted_and_transitions_arrive(
    served: Served,
) -> None:
    with connect(served.settings.broker_url) as redis, suppress(ConnectionError):
        redis.shutdown(nosave=True)

    job_id = await served.submit()
    stream = served.watch(job_id=job_id)
    first = await stream.read()
    assert first.snapshot.job.state == job_pb2.JOB_STATE_QUEUED
    job = await asyncio.to_thread(served.hands.claim, job_id)
    await asyncio.to_thread(served.hands.succeed, job)

    async with asyncio.timeout(3):
        events = await remaining(stream)
    assert [shape(event) for event in events] == [
        ("transition", job_pb2.JOB_STATE_RUNNING),
        ("transition", job_pb2.JOB_STATE_SUCCEEDED),
    ]


async def test_with_a_redis_that_hangs_streams_open_and_transitions_arrive_within_3_s(
    served: Served,
) -> None:
    job_id = await served.submit()
    batch_id, (item_id,) = await served.submit_batch(1)
    job, item = served.hands.claim(job_id), served.hands.claim(item_id)
    with connect(served.settings.broker_url) as redis:
        pid = redis.info("server")["process_id"]
    os.kill(pid, signal.SIGSTOP)
    try:
        streams = [
            served.watch(job_id=job_id),
            served.watch(batch_id=batch_id, include_items=True),
        ]
        async with asyncio.timeout(3):
            for stream in streams:
                await stream.read()
        served.hands.succeed(job, ring=False)
        served.hands.succeed(item, ring=False)
        async with asyncio.timeout(3):
            for stream in streams:
                told = shape(await next_event(stream))
                assert told == ("transition", job_pb2.JOB_STATE_SUCCEEDED)
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_ticks_resume_on_open_streams_when_redis_is_back(served: Served) -> None:
    job_id = await served.submit()
    batch_id, (item_id,) = await served.submit_batch(1)
    job, item = served.hands.claim(job_id), served.hands.claim(item_id)
    streams = [
        served.watch(job_id=job_id),
        served.watch(batch_id=batch_id, include_items=True),
    ]
    for stream in streams:
        await stream.read()
    await until(lambda: served.subscriptions() == 2)
    url = served.settings.broker_url
    with connect(url) as redis, suppress(ConnectionError):
        redis.shutdown(nosave=True)
    socket = Path(url.removeprefix("redis+socket://"))
    process = await asyncio.create_subprocess_exec(*redis_command(find_redis(), socket))
    try:
        await until(socket.exists)
        await until(lambda: served.subscriptions() == 2)

        async def work() -> None:
            """Ticks as workers do, again and again: one of the moment of the return may be lost."""
            for seq in itertools.count(1):
                served.hands.tick(job, seq, 0.5)
                served.hands.tick(item, seq, 0.5)
                await asyncio.sleep(0.2)

        working = asyncio.create_task(work())
        async with asyncio.timeout(20):
            for stream in streams:
                assert shape(await next_event(stream)) == ("tick", 0.5)
                stream.cancel()
        working.cancel()
    finally:
        process.terminate()
        await process.wait()


async def test_a_health_watch_tells_that_the_server_serves(served: Served) -> None:
    """A stream of a servicer that is not harken's own, and writes by itself."""
    async with grpc.aio.insecure_channel(served.settings.listen) as channel:
        watch = HealthStub(channel).Watch(HealthCheckRequest())
        assert (await watch.read()).status == HealthCheckResponse.SERVING
        watch.cancel()


async def test_a_stopping_server_ends_its_streams_with_unavailable(settings: Settings) -> None:
    hands = WorkerHands(settings)
    async with running_server(settings) as address:
        channel = grpc.aio.insecure_channel(address)
        served = Served(settings, JobServiceStub(channel), hands)
        job_id = await served.submit()
        stream = served.watch(job_id=job_id)
        await stream.read()

    with pytest.raises(grpc.aio.AioRpcError) as ended:
        await stream.read()
    assert ended.value.code() is grpc.StatusCode.UNAVAILABLE
    assert "stopping" in (ended.value.details() or "")
    await channel.close()
    hands.close()


async def test_what_a_watcher_was_too_slow_for_is_read_from_the_log(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With room for two transitions only, a reader who gets none of six in time misses none."""
    monkeypatch.setattr("harken.server.progress.watcher.LONGEST_BACKLOG", 2)
    job_id = await served.submit()
    stream = served.watch(job_id=job_id)
    await stream.read()

    for _ in range(3):
        served.hands.lose(served.hands.claim(job_id))
    served.hands.succeed(served.hands.claim(job_id))
    events = await remaining(stream)

    assert [event.revision for event in events] == list(range(2, 10))


async def test_a_resume_token_from_the_future_is_out_of_range(served: Served) -> None:
    from harken.server import tokens

    job_id = await served.submit()
    token = tokens.encode(10**9, ["job", "local", job_id])

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await served.watch(job_id=job_id, resume_token=token).read()

    assert refused.value.code() is grpc.StatusCode.OUT_OF_RANGE


async def test_progress_of_a_running_job_is_in_get_and_list(served: Served) -> None:
    from harken.v1.job_service_pb2 import GetJobRequest, ListJobsRequest

    job_id = await served.submit()
    job = served.hands.claim(job_id)
    served.hands.tick(job, 4, 0.4)

    got = (await served.jobs.GetJob(GetJobRequest(job_id=job_id))).job
    listed = (await served.jobs.ListJobs(ListJobsRequest())).jobs[0]

    assert got.progress.fraction == listed.progress.fraction == 0.4
