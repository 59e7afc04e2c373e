"""The asyncio client against a live server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import grpc
import pytest

from harken.client import (
    AsyncClient,
    BatchSnapshot,
    ClientClosed,
    DeadlineExceeded,
    JobFailed,
    JobState,
    NotFound,
    Reconnect,
    ServerUnavailable,
    Transition,
)
from harken.v1 import job_service_pb2 as pb
from harken.v1 import worker_service_pb2 as worker_pb
from harken.v1.job_pb2 import JobError
from tests.client.conftest import QUICK
from tests.client.scripted_server import (
    BATCH_ID,
    HOLD,
    JOB_ID,
    NO_JOB,
    STOPPING,
    Refusal,
    ScriptedServer,
    a_job,
    counts,
    events,
    moved,
    whole_run,
)


@pytest.fixture
async def asyncio_client(server: ScriptedServer) -> AsyncIterator[AsyncClient]:
    """An asyncio client of the scripted server."""
    async with AsyncClient(server.target, reconnect=QUICK) as connected:
        yield connected


async def test_submit_watch_and_result(server: ScriptedServer, asyncio_client: AsyncClient) -> None:
    server.answers["SubmitAnalysis"] = pb.SubmitAnalysisResponse(job=a_job())
    done = a_job("SUCCEEDED", result={"tonal": {"key": "A", "mode": "minor"}})
    server.answers["GetJob"] = pb.GetJobResponse(job=done)
    server.streams = [whole_run(), whole_run()]
    job = await asyncio_client.submit("/music/song.flac", features=["tonal"])
    told = [str(update) async for update in asyncio_client.watch(job)]
    assert told[0] == "QUEUED"
    assert told[-1] == "SUCCEEDED"
    tonal = (await job.result()).tonal
    assert tonal is not None
    assert (tonal.key, tonal.mode) == ("A", "minor")


async def test_every_other_call_of_the_sync_client_is_here_too(
    server: ScriptedServer, asyncio_client: AsyncClient
) -> None:
    batch = {"batch_id": BATCH_ID, "total": 1, "succeeded": 1}
    server.answers = {
        "SubmitBatch": pb.SubmitBatchResponse(batch=batch),
        "GetBatch": pb.GetBatchResponse(batch=batch),
        "CancelJob": pb.CancelJobResponse(job=a_job("CANCELLED")),
        "CancelBatch": pb.CancelBatchResponse(batch=batch),
        "ListJobs": [
            pb.ListJobsResponse(jobs=[a_job()], next_page_token="2"),
            pb.ListJobsResponse(jobs=[a_job()]),
        ],
        "InspectWorkers": worker_pb.InspectWorkersResponse(workers=[{"name": "w"}]),
        "ListQueues": worker_pb.ListQueuesResponse(queues=[{"name": "q"}]),
    }
    server.streams = [[counts(total=1, queued=1), counts("t1", total=1, succeeded=1)]]
    handle = await asyncio_client.submit_batch(["/a.wav"])
    assert (await handle.wait()).succeeded == 1
    assert (await handle.cancel()).total == 1
    assert (await asyncio_client.cancel_job(JOB_ID)).state is JobState.CANCELLED
    assert len([job async for job in asyncio_client.list_jobs()]) == 2
    assert [worker.name for worker in await asyncio_client.inspect_workers()] == ["w"]
    assert [queue.name for queue in await asyncio_client.list_queues()] == ["q"]


async def test_errors_are_the_clients_own(
    server: ScriptedServer, asyncio_client: AsyncClient
) -> None:
    server.answers["GetJob"] = NO_JOB
    with pytest.raises(NotFound) as caught:
        await asyncio_client.get_job(JOB_ID)
    assert caught.value.reason == "JOB_NOT_FOUND"
    server.streams = [[NO_JOB]]
    with pytest.raises(NotFound):
        _ = [update async for update in asyncio_client.watch(JOB_ID)]


async def test_a_failed_job_raises_only_when_its_result_is_asked_for(
    server: ScriptedServer, asyncio_client: AsyncClient
) -> None:
    failed = a_job("FAILED", error=JobError(reason="EMPTY_FILE", message="It is empty."))
    server.answers["SubmitAnalysis"] = pb.SubmitAnalysisResponse(job=a_job())
    server.answers["GetJob"] = pb.GetJobResponse(job=failed)
    server.streams = [whole_run()[:1], whole_run()[:1]]
    handle = await asyncio_client.submit("/a.wav")
    assert (await handle.wait()).state is JobState.FAILED
    with pytest.raises(JobFailed, match="It is empty"):
        await handle.result()


async def test_a_watch_goes_on_over_a_drained_server(
    server: ScriptedServer, asyncio_client: AsyncClient
) -> None:
    run = whole_run()
    server.streams = [[*run[:4], STOPPING], [STOPPING], run[4:]]
    told = [str(update) async for update in asyncio_client.watch(JOB_ID)]
    assert told[-2:] == [" 75% rhythm 140 of 180 s", "SUCCEEDED"]
    assert len(told) == 5
    tokens = [request.resume_token for request in server.of(pb.StreamProgressRequest)]
    assert tokens == ["", "t1", "t1"]


async def test_the_items_of_a_batch_are_watched_over_a_server_that_goes_away(
    server: ScriptedServer, asyncio_client: AsyncClient
) -> None:
    run = [
        counts(total=1, queued=1),
        events("t1", moved(2, "QUEUED", "RUNNING")),
        events("t2", moved(3, "RUNNING", "SUCCEEDED")),
        counts("t2", total=1, succeeded=1),
    ]
    server.streams = [[*run[:2], STOPPING], run[2:]]
    told = [type(update) async for update in asyncio_client.watch_items(BATCH_ID)]
    assert told == [BatchSnapshot, Transition, Transition, BatchSnapshot]
    requests = server.of(pb.StreamProgressRequest)
    assert [(one.resume_token, one.include_items) for one in requests] == [("", True), ("t1", True)]


async def test_a_watch_goes_on_over_a_server_that_is_killed_and_started_again(
    server: ScriptedServer, asyncio_client: AsyncClient
) -> None:
    run = whole_run()
    server.streams = [[*run[:3], HOLD], run[3:]]
    away = asyncio.Event()
    told: list[str] = []

    async def watch() -> None:
        async for update in asyncio_client.watch(JOB_ID, on_lost=lambda _: away.set()):
            told.append(str(update))

    watching = asyncio.create_task(watch())
    await asyncio.to_thread(server.holding.wait)
    await asyncio.to_thread(server.stop)
    await away.wait()
    await asyncio.to_thread(server.start)
    await watching
    assert told == [
        "QUEUED",
        "RUNNING",
        " 25% decode 45 of 180 s",
        " 75% rhythm 140 of 180 s",
        "SUCCEEDED",
    ]


async def test_a_watch_without_a_server_gives_up(server: ScriptedServer) -> None:
    server.stop()
    reconnect = Reconnect(give_up_after=0.05, first_pause=0.01)
    async with AsyncClient(server.target, reconnect=reconnect) as client:
        with pytest.raises(ServerUnavailable, match="No harken server answers at unix:"):
            _ = [update async for update in client.watch(JOB_ID)]


async def test_waiting_ends_with_its_timeout_and_the_job_goes_on(
    server: ScriptedServer, asyncio_client: AsyncClient
) -> None:
    server.streams = [[*whole_run()[:2], HOLD]]
    with pytest.raises(DeadlineExceeded):
        await asyncio_client.wait(JOB_ID, timeout=0.1)
    assert not server.of(pb.CancelJobRequest)


async def test_a_call_ends_with_its_timeout(
    server: ScriptedServer, asyncio_client: AsyncClient
) -> None:
    server.answers["GetJob"] = Refusal(grpc.StatusCode.DEADLINE_EXCEEDED, "slow")
    with pytest.raises(DeadlineExceeded, match="did not answer in time"):
        await asyncio_client.get_job(JOB_ID)


async def test_a_cancelled_task_stays_cancelled_and_is_no_error_of_harken(
    server: ScriptedServer, asyncio_client: AsyncClient
) -> None:
    server.streams = [[*whole_run()[:2], HOLD]]
    task = asyncio.create_task(asyncio_client.wait(JOB_ID))
    await asyncio.to_thread(server.holding.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_closing_the_client_ends_what_it_is_doing_with_its_own_error(
    server: ScriptedServer,
) -> None:
    server.streams = [[*whole_run()[:2], HOLD]]
    client = AsyncClient(server.target)
    task = asyncio.create_task(client.wait(JOB_ID))
    await asyncio.to_thread(server.holding.wait)
    await client.close()
    with pytest.raises(ClientClosed):
        await task
    with pytest.raises(ClientClosed):
        await client.get_job(JOB_ID)


async def test_a_watch_may_be_left_before_its_end(
    server: ScriptedServer, asyncio_client: AsyncClient
) -> None:
    server.streams = [[*whole_run()[:2], HOLD]]
    async with aclosing(asyncio_client.watch(JOB_ID)) as updates:
        async for update in updates:
            assert str(update) == "QUEUED"
            break


def test_a_client_may_be_made_before_there_is_a_loop(server: ScriptedServer) -> None:
    server.answers["GetJob"] = pb.GetJobResponse(job=a_job())
    client = AsyncClient(server.target)

    async def use() -> str:
        async with client:
            return (await client.get_job(JOB_ID)).job_id

    assert asyncio.run(use()) == JOB_ID
