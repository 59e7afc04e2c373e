"""What watchers of a batch and its items get: every transition once and in order, and the newest ticks."""

import asyncio
from datetime import timedelta

import grpc
import pytest

from harken.jobs import log
from harken.jobs.upkeep import retention
from harken.v1 import job_pb2
from tests.server.conftest import Served, now, until

QUEUED, RUNNING, SUCCEEDED = (
    job_pb2.JOB_STATE_QUEUED,
    job_pb2.JOB_STATE_RUNNING,
    job_pb2.JOB_STATE_SUCCEEDED,
)


def moves(messages: list) -> list[tuple[str, int, int]]:
    """The transitions of messages: job, revision, state."""
    return [
        (event.job_id, event.revision, event.transition.to)
        for message in messages
        for event in message.events.events
        if event.HasField("transition")
    ]


async def read_until(stream, found) -> list:
    """The messages of a stream up to the first that `found` accepts."""
    messages: list = []
    async with asyncio.timeout(20):
        while not messages or not found(messages[-1]):
            message = await stream.read()
            assert message is not grpc.aio.EOF
            messages.append(message)
    return messages


async def rest_of(stream) -> list:
    """The messages of a stream to its end."""
    messages: list = []
    while (message := await stream.read()) is not grpc.aio.EOF:
        messages.append(message)
    return messages


def run(served: Served, job_id: str) -> None:
    """A worker takes the job and ends it."""
    served.hands.succeed(served.hands.claim(job_id))


async def test_each_item_s_transitions_come_once_and_in_order_beside_the_counts(
    served: Served,
) -> None:
    batch_id, jobs = await served.submit_batch(5)
    stream = served.watch(batch_id=batch_id, include_items=True)
    first = await stream.read()
    assert first.snapshot.batch.queued == 5

    for job_id in jobs:
        await asyncio.to_thread(run, served, job_id)
    rest = await rest_of(stream)

    for job_id in jobs:
        own = [move[1:] for move in moves(rest) if move[0] == job_id]
        assert own == [(2, RUNNING), (3, SUCCEEDED)]
    last = rest[-1].snapshot.batch
    assert (last.succeeded, last.queued, last.running) == (5, 0, 0)
    assert last.HasField("end_time")


async def test_a_stream_of_items_goes_on_from_each_of_its_tokens(served: Served) -> None:
    batch_id, jobs = await served.submit_batch(4)
    stream = served.watch(batch_id=batch_id, include_items=True)
    messages = [await stream.read()]
    for job_id in jobs:
        await asyncio.to_thread(run, served, job_id)
    messages += await rest_of(stream)
    everything = moves(messages)
    assert len(everything) == 8

    for index, message in enumerate(messages):
        again = served.watch(
            batch_id=batch_id, include_items=True, resume_token=message.resume_token
        )
        replayed = await rest_of(again)
        assert moves(messages[: index + 1]) + moves(replayed) == everything


async def test_the_newest_tick_of_each_running_item_comes(served: Served) -> None:
    batch_id, (first, second, third) = await served.submit_batch(3)
    early = served.hands.claim(first)
    served.hands.tick(early, 1, 0.1)
    stream = served.watch(batch_id=batch_id, include_items=True)

    def ticks(messages: list) -> list[tuple[str, float]]:
        return [
            (event.job_id, event.progress.fraction)
            for message in messages
            for event in message.events.events
            if event.HasField("progress")
        ]

    # One that ran before is told of at once.
    assert ticks(await read_until(stream, lambda m: ticks([m]))) == [(first, 0.1)]

    # One that starts is subscribed to, and what it reported before that is read.
    late = served.hands.claim(second)
    served.hands.tick(late, 1, 0.2)
    told = await read_until(stream, lambda m: (second, 0.2) in ticks([m]))
    assert moves(told) == [(second, 2, RUNNING)]
    await until(lambda: served.subscriptions() == 2)

    served.hands.tick(early, 2, 0.3)
    served.hands.tick(early, 1, 0.1)  # older: dropped
    served.hands.tick(late, 2, 0.4)
    told = await read_until(stream, lambda m: (second, 0.4) in ticks([m]))
    assert (first, 0.1) not in ticks(told)

    served.hands.succeed(early)
    served.hands.succeed(late)
    await until(lambda: served.subscriptions() == 0)
    run(served, third)
    assert (await read_until(stream, lambda m: m.snapshot.batch.succeeded == 3))[-1]
    assert await stream.read() is grpc.aio.EOF


async def test_a_reader_that_is_behind_gets_everything_from_the_log_in_pages(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With room for two transitions and pages of three, forty of them come once each."""
    monkeypatch.setattr("harken.server.progress.watcher.LONGEST_BACKLOG", 2)
    monkeypatch.setattr(log, "PAGE", 3)
    batch_id, jobs = await served.submit_batch(20)
    stream = served.watch(batch_id=batch_id, include_items=True)
    first = await stream.read()

    for job_id in jobs:
        run(served, job_id)  # blocks the server too: it sees them all at once
    messages = [first, *await rest_of(stream)]

    assert sorted(moves(messages)) == sorted(
        (job_id, revision, state)
        for job_id in jobs
        for revision, state in ((2, RUNNING), (3, SUCCEEDED))
    )
    assert messages[-1].snapshot.batch.succeeded == 20


async def test_watchers_of_a_batch_get_the_same_whenever_they_come(served: Served) -> None:
    batch_id, jobs = await served.submit_batch(6)
    streams = []
    for job_id in jobs:
        stream = served.watch(batch_id=batch_id, include_items=True)
        streams.append((stream, await stream.read()))
        await asyncio.to_thread(run, served, job_id)

    for stream, first in streams:
        rest = await rest_of(stream)
        counted = first.snapshot.batch
        # What is not in the first counts comes as transitions.
        assert sum(move[2] == SUCCEEDED for move in moves(rest)) == 6 - counted.succeeded
        assert rest[-1].snapshot.batch.succeeded == 6


async def test_items_are_refused_of_a_job_and_tokens_across_options(served: Served) -> None:
    job_id = await served.submit()
    batch_id, _ = await served.submit_batch(1)
    counts = served.watch(batch_id=batch_id)
    token = (await counts.read()).resume_token
    counts.cancel()

    for fields in (
        {"job_id": job_id, "include_items": True},
        {"batch_id": batch_id, "include_items": True, "resume_token": token},
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await served.watch(**fields).read()
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_token_from_before_what_was_deleted_is_out_of_range(served: Served) -> None:
    """Jobs are deleted with their logs: what a stream would leave out unsaid is an error instead."""
    job_id = await served.submit()
    batch_id, jobs = await served.submit_batch(2)
    targets = ({"job_id": job_id}, {"batch_id": batch_id, "include_items": True})
    tokens = []
    for target in targets:
        stream = served.watch(**target)
        tokens.append((await stream.read()).resume_token)
        stream.cancel()
    for one in (job_id, jobs[0]):
        run(served, one)

    with served.hands.database.write() as connection:
        moment = now() + timedelta(seconds=1)
        assert retention.delete_ended_before(connection, moment) == 2

    for target, token in zip(targets, tokens, strict=True):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await served.watch(**target, resume_token=token).read()
        assert refused.value.code() is grpc.StatusCode.OUT_OF_RANGE
        assert "Start again without a token" in (refused.value.details() or "")
