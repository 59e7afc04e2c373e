"""The sync client, call by call, against grpcio-testing: what is sent, and what comes back."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Queue
from typing import Any

import grpc
import grpc_testing
import pytest
from google.protobuf.descriptor import ServiceDescriptor

from harken.client import (
    Client,
    JobCancelled,
    JobFailed,
    JobSnapshot,
    JobState,
    NotFound,
    OutsideRoots,
    Reconnect,
    ServerUnavailable,
)
from harken.v1 import job_service_pb2 as pb
from harken.v1 import worker_service_pb2 as worker_pb
from harken.v1.job_pb2 import JobError
from tests.client.scripted_server import (
    BATCH_ID,
    JOB_ID,
    NO_JOB,
    STOPPING,
    Refusal,
    a_job,
    whole_run,
)

JOBS = pb.DESCRIPTOR.services_by_name["JobService"]
WORKERS = worker_pb.DESCRIPTOR.services_by_name["WorkerService"]


class Scripted:
    """A client on a testing channel; the test plays the server."""

    def __init__(self) -> None:
        self.channel = grpc_testing.channel([JOBS, WORKERS], grpc_testing.strict_real_time())
        quick = Reconnect(first_pause=0.001, max_pause=0.001)
        self.client = Client("there:1", channel=self.channel, reconnect=quick)
        self._threads = ThreadPoolExecutor(1)

    def start(self, call: Callable[[Client], Any]) -> "Future[Any]":
        """Begins a call of the client in a thread."""
        return self._threads.submit(call, self.client)

    def take(self, method: str, service: ServiceDescriptor = JOBS) -> tuple[Any, Any]:
        """The next unary request that the client has sent, and how to answer it."""
        _, request, rpc = self.channel.take_unary_unary(service.methods_by_name[method])
        rpc.send_initial_metadata(())
        return request, rpc

    def answer(self, method: str, response: Any, service: ServiceDescriptor = JOBS) -> Any:
        """Answers the next request, and gives it."""
        request, rpc = self.take(method, service)
        rpc.terminate(response, (), grpc.StatusCode.OK, "")
        return request

    def refuse(self, method: str, refusal: Refusal) -> None:
        """Answers the next request with an error."""
        _, rpc = self.take(method)
        rpc.terminate(None, refusal.trailing(), refusal.code, refusal.message)

    def stream(
        self, *messages: Any, end: Refusal | None = None, once: Callable[[], Any] | None = None
    ) -> Any:
        """Plays a stream to the next request for one, and gives the request.

        grpcio-testing forgets what was not read yet when a stream ends with an error: `once`
        returns when all of it has been.
        """
        _, request, rpc = self.channel.take_unary_stream(JOBS.methods_by_name["StreamProgress"])
        rpc.send_initial_metadata(())
        for message in messages:
            rpc.send_response(message)
        if once is not None:
            once()
        if end is None:
            rpc.terminate((), grpc.StatusCode.OK, "")
        else:
            rpc.terminate(end.trailing(), end.code, end.message)
        return request


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    """A client whose server is played by the test."""
    played = Scripted()
    yield played
    played.client.close()
    played._threads.shutdown()


def test_submit_sends_what_was_asked_for_and_gives_a_handle(scripted: Scripted) -> None:
    future = scripted.start(
        lambda client: client.submit(
            "/a.wav", features=["media"], priority=9, labels={"take": "1"}, schedule_timeout=60
        )
    )
    request = scripted.answer("SubmitAnalysis", pb.SubmitAnalysisResponse(job=a_job()))
    handle = future.result()
    assert (request.source.path, request.priority, dict(request.labels)) == (
        "/a.wav",
        9,
        {"take": "1"},
    )
    assert request.schedule_timeout.seconds == 60
    assert handle.job_id == JOB_ID
    assert handle.job.state is JobState.QUEUED


def test_submit_outside_the_media_roots_is_an_error_of_its_own(scripted: Scripted) -> None:
    future = scripted.start(lambda client: client.submit("/etc/passwd"))
    scripted.refuse(
        "SubmitAnalysis",
        Refusal(grpc.StatusCode.PERMISSION_DENIED, "not below", "SOURCE_OUTSIDE_ROOTS"),
    )
    with pytest.raises(OutsideRoots, match="not below"):
        future.result()


def test_a_batch_tells_which_files_were_not_accepted(scripted: Scripted) -> None:
    future = scripted.start(
        lambda client: client.submit_batch(["/a.wav", "/b.wav"], features="media")
    )
    response = pb.SubmitBatchResponse(
        batch={"batch_id": BATCH_ID, "total": 1, "queued": 1},
        failed_items=[pb.FailedItem(index=1, reason="SOURCE_NOT_FOUND", message="gone")],
    )
    scripted.answer("SubmitBatch", response)
    handle = future.result()
    assert handle.batch_id == BATCH_ID
    assert [item.index for item in handle.failed_items] == [1]


def test_a_job_that_does_not_exist_is_not_found(scripted: Scripted) -> None:
    future = scripted.start(lambda client: client.get_job(JOB_ID))
    scripted.refuse("GetJob", NO_JOB)
    with pytest.raises(NotFound) as caught:
        future.result()
    assert caught.value.reason == "JOB_NOT_FOUND"
    assert isinstance(caught.value.__cause__, grpc.RpcError)


def test_listing_jobs_goes_from_page_to_page_with_the_same_filter(scripted: Scripted) -> None:
    future = scripted.start(lambda client: list(client.list_jobs(states="failed", page_size=1)))
    first = scripted.answer("ListJobs", pb.ListJobsResponse(jobs=[a_job()], next_page_token="p2"))
    second = scripted.answer("ListJobs", pb.ListJobsResponse(jobs=[a_job(), a_job()]))
    assert len(future.result()) == 3
    assert (first.page_token, second.page_token) == ("", "p2")
    assert first.states == second.states


def test_cancelling_gives_the_job_as_it_is_then(scripted: Scripted) -> None:
    future = scripted.start(lambda client: client.cancel_job(JOB_ID))
    scripted.answer("CancelJob", pb.CancelJobResponse(job=a_job("CANCELLING")))
    assert future.result().state is JobState.CANCELLING


def test_cancelling_and_reading_a_batch(scripted: Scripted) -> None:
    batch = {"batch_id": BATCH_ID, "total": 2, "cancelled": 2}
    future = scripted.start(lambda client: client.cancel_batch(BATCH_ID))
    scripted.answer("CancelBatch", pb.CancelBatchResponse(batch=batch))
    assert future.result().cancelled == 2
    future = scripted.start(lambda client: client.get_batch(BATCH_ID))
    scripted.answer("GetBatch", pb.GetBatchResponse(batch=batch))
    assert future.result().ended == 2


def test_workers_and_queues_are_values_too(scripted: Scripted) -> None:
    future = scripted.start(lambda client: client.inspect_workers())
    workers = worker_pb.InspectWorkersResponse(workers=[{"name": "w@h", "status": "STATUS_ONLINE"}])
    scripted.answer("InspectWorkers", workers, WORKERS)
    assert [worker.status for worker in future.result()] == ["ONLINE"]
    future = scripted.start(lambda client: client.list_queues())
    queues = worker_pb.ListQueuesResponse(queues=[{"name": "default", "queued": 3}])
    scripted.answer("ListQueues", queues, WORKERS)
    assert [queue.queued for queue in future.result()] == [3]


def test_watching_yields_each_update_to_the_end(scripted: Scripted) -> None:
    future = scripted.start(lambda client: [str(update) for update in client.watch(JOB_ID)])
    scripted.stream(*whole_run())
    assert future.result() == [
        "QUEUED",
        "RUNNING",
        " 25% decode 45 of 180 s",
        " 75% rhythm 140 of 180 s",
        "SUCCEEDED",
    ]


def test_a_watch_goes_on_when_the_server_says_that_it_goes_away(scripted: Scripted) -> None:
    told: Queue[str] = Queue()
    future = scripted.start(lambda client: [told.put(str(u)) for u in client.watch(JOB_ID)])
    run = whole_run()
    scripted.stream(*run[:3], end=STOPPING, once=lambda: [told.get() for _ in range(3)])
    again = scripted.stream(*run[3:])
    assert again.resume_token == "t1"
    assert len(future.result()) == 5
    assert [told.get(), told.get()] == [" 75% rhythm 140 of 180 s", "SUCCEEDED"]


def test_a_rejected_token_starts_the_watch_from_a_snapshot(scripted: Scripted) -> None:
    future = scripted.start(lambda client: list(client.watch(JOB_ID, resume_token="old")))
    ahead = Refusal(grpc.StatusCode.OUT_OF_RANGE, "ahead", "RESUME_TOKEN_AHEAD")
    assert scripted.stream(end=ahead).resume_token == "old"
    assert not scripted.stream(*whole_run()).HasField("resume_token")
    assert isinstance(future.result()[0], JobSnapshot)


def test_waiting_gives_the_job_with_its_result(scripted: Scripted) -> None:
    future = scripted.start(lambda client: client.wait(JOB_ID))
    scripted.stream(*whole_run())
    done = a_job("SUCCEEDED", result={"rhythm": {"tempo_bpm": 120.0}})
    scripted.answer("GetJob", pb.GetJobResponse(job=done))
    assert future.result().result.rhythm.tempo_bpm == 120.0


def test_waiting_survives_a_server_that_goes_away_before_the_result_is_read(
    scripted: Scripted,
) -> None:
    future = scripted.start(lambda client: client.wait(JOB_ID))
    scripted.stream(*whole_run())
    scripted.refuse("GetJob", STOPPING)
    scripted.answer("GetJob", pb.GetJobResponse(job=a_job("SUCCEEDED")))
    assert future.result().state is JobState.SUCCEEDED


@pytest.mark.parametrize(("state", "error"), [("FAILED", JobFailed), ("CANCELLED", JobCancelled)])
def test_only_asking_for_the_result_raises_for_a_job_without_one(
    scripted: Scripted, state: str, error: type[JobFailed | JobCancelled]
) -> None:
    ended = a_job(state, error=JobError(reason="EMPTY_FILE", message="It is empty."))
    future = scripted.start(lambda client: client.submit("/a.wav"))
    scripted.answer("SubmitAnalysis", pb.SubmitAnalysisResponse(job=a_job()))
    handle = future.result()
    for ask in ("wait", "result"):
        future = scripted.start(lambda _, ask=ask: getattr(handle, ask)())
        scripted.stream(*whole_run()[:1], end=None)
        scripted.answer("GetJob", pb.GetJobResponse(job=ended))
        if ask == "wait":
            assert future.result().state == state
        else:
            with pytest.raises(error) as caught:
                future.result()
            assert caught.value.job.job_id == JOB_ID


def test_one_call_that_fails_for_want_of_a_server_is_server_unavailable(scripted: Scripted) -> None:
    future = scripted.start(lambda client: client.get_job(JOB_ID))
    scripted.refuse("GetJob", Refusal(grpc.StatusCode.UNAVAILABLE, "connection refused"))
    with pytest.raises(ServerUnavailable, match="No harken server answers at there:1"):
        future.result()
