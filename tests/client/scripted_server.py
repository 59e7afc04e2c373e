"""A real gRPC server on a unix socket that answers what a test wrote down."""

import asyncio
import shutil
import tempfile
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from harken.v1 import job_service_pb2 as pb
from harken.v1 import worker_service_pb2 as worker_pb
from harken.v1.batch_pb2 import Batch
from harken.v1.event_pb2 import Event, Transition
from harken.v1.job_pb2 import Job, JobError, JobState, Progress
from harken.v1.job_service_pb2_grpc import JobServiceServicer, add_JobServiceServicer_to_server
from harken.v1.worker_service_pb2_grpc import (
    WorkerServiceServicer,
    add_WorkerServiceServicer_to_server,
)

JOB_ID = "01890000-0000-7000-8000-000000000001"
BATCH_ID = "01890000-0000-7000-8000-00000000000b"


@dataclass(frozen=True)
class Refusal:
    """An answer that is an error, with details as harken's server sends them."""

    code: grpc.StatusCode
    message: str = "no"
    reason: str = ""
    domain: str = "harken"
    violations: Sequence[tuple[str, str]] = ()
    metadata: dict[str, str] = field(default_factory=dict)
    retry_after_s: float | None = None

    def trailing(self) -> tuple[tuple[str, bytes], ...]:
        """The trailing metadata."""
        details: list[Message] = []
        if self.reason:
            details.append(
                error_details_pb2.ErrorInfo(
                    reason=self.reason, domain=self.domain, metadata=self.metadata
                )
            )
        if self.violations:
            details.append(
                error_details_pb2.BadRequest(
                    field_violations=[
                        error_details_pb2.BadRequest.FieldViolation(field=f, description=d)
                        for f, d in self.violations
                    ]
                )
            )
        if self.retry_after_s is not None:
            info = error_details_pb2.RetryInfo()
            info.retry_delay.FromNanoseconds(int(self.retry_after_s * 1e9))
            details.append(info)
        status = status_pb2.Status(code=self.code.value[0], message=self.message)
        for detail in details:
            packed = AnyMessage()
            packed.Pack(detail)
            status.details.append(packed)
        return (("grpc-status-details-bin", status.SerializeToString()),) if details else ()


STOPPING = Refusal(grpc.StatusCode.UNAVAILABLE, "The server is going away.", "SERVER_STOPPING")
NO_JOB = Refusal(grpc.StatusCode.NOT_FOUND, "There is no such job.", "JOB_NOT_FOUND")
NO_BATCH = Refusal(grpc.StatusCode.NOT_FOUND, "There is no such batch.", "BATCH_NOT_FOUND")

HOLD = object()
"""A step of a stream that waits until the stream is cancelled or the server has stopped."""

Answer = Message | Refusal | Callable[[Any], Message | Refusal]


class _Services(JobServiceServicer, WorkerServiceServicer):
    """Every unary call looks its answer up; every stream plays the next script."""


def _unary(name: str) -> Any:
    async def method(self: Any, request: Message, context: Any) -> Message:
        server: ScriptedServer = self.server
        server.requests.append(request)
        server.metadata.append(dict(context.invocation_metadata()))
        answer: Any = server.answers[name]
        if isinstance(answer, list):
            answer = answer.pop(0)
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, Refusal):
            await context.abort(answer.code, answer.message, answer.trailing())
        return answer

    return method


async def _stream(self: Any, request: pb.StreamProgressRequest, context: Any) -> Any:
    server: ScriptedServer = self.server
    server.requests.append(request)
    server.metadata.append(dict(context.invocation_metadata()))
    for step in server.streams.pop(0):
        if step is HOLD:
            server.holding.set()
            try:
                await asyncio.Event().wait()
            finally:
                server.left.set()
        elif isinstance(step, Refusal):
            await context.abort(step.code, step.message, step.trailing())
        else:
            yield step


for _service in (
    pb.DESCRIPTOR.services_by_name["JobService"],
    worker_pb.DESCRIPTOR.services_by_name["WorkerService"],
):
    for _method in _service.methods:
        _is_stream = _method.name == "StreamProgress"
        setattr(_Services, _method.name, _stream if _is_stream else _unary(_method.name))


class ScriptedServer:
    """The server and its loop, in a thread of their own; it can be stopped and started again."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer | list[Answer]] = {}
        self.streams: list[list[Any]] = []
        self.requests: list[Any] = []
        self.metadata: list[dict[str, Any]] = []
        """What came with the requests of calls and streams, one for each."""
        self.holding = threading.Event()
        """Set when a stream has come to a HOLD."""
        self.left = threading.Event()
        """Set when a stream was left by its reader before its end."""
        self.folder = Path(tempfile.mkdtemp(prefix="hk-"))
        self.target = f"unix:{self.folder / 's'}"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server: grpc.aio.Server | None = None

    def of(self, kind: type[Message]) -> list[Any]:
        """The requests of a kind that came."""
        return [request for request in self.requests if isinstance(request, kind)]

    def start(self) -> None:
        """Starts to answer."""
        self._on_loop(self._start()).result()

    def stop(self) -> None:
        """Cuts every connection and stops to answer."""
        self.stop_soon().result()

    def stop_soon(self) -> "Future[None]":
        """Begins to stop; for a caller that must not block."""
        return self._on_loop(self._stop())

    def close(self) -> None:
        """Ends the thread too."""
        if self._server is not None:
            self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        shutil.rmtree(self.folder)

    def _on_loop(self, work: Any) -> "Future[None]":
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _start(self) -> None:
        self._server = grpc.aio.server()
        services = _Services()
        services.server = self  # type: ignore[attr-defined]
        add_JobServiceServicer_to_server(services, self._server)
        add_WorkerServiceServicer_to_server(services, self._server)
        self._server.add_insecure_port(self.target)
        await self._server.start()

    async def _stop(self) -> None:
        if self._server is not None:
            await self._server.stop(None)
            self._server = None


def a_job(state: str = "QUEUED", **fields: Any) -> Job:
    """A job as the server would describe it."""
    job = Job(job_id=JOB_ID, state=JobState.Value(f"JOB_STATE_{state}"), revision=1, priority=5)
    job.source.path = "/music/song.flac"
    job.MergeFrom(Job(**fields))
    return job


def snapshot(job: Job, token: str = "t0") -> pb.StreamProgressResponse:
    """The stream's first message for a job."""
    return pb.StreamProgressResponse(snapshot=pb.Snapshot(job=job), resume_token=token)


def counts(token: str = "t0", **fields: int) -> pb.StreamProgressResponse:
    """A stream's message with the counts of a batch; it has ended when all of its jobs have."""
    batch = Batch(batch_id=BATCH_ID, **fields)
    if batch.total == batch.succeeded + batch.failed + batch.cancelled:
        batch.end_time.FromJsonString("2026-01-02T03:04:05Z")
    return pb.StreamProgressResponse(snapshot=pb.Snapshot(batch=batch), resume_token=token)


def bookmark(token: str) -> pb.StreamProgressResponse:
    """A sign of life."""
    return pb.StreamProgressResponse(bookmark=pb.Bookmark(), resume_token=token)


def events(token: str, *several: Event) -> pb.StreamProgressResponse:
    """A message with events."""
    return pb.StreamProgressResponse(events=pb.Events(events=several), resume_token=token)


def moved(revision: int, before: str, after: str, error: JobError | None = None) -> Event:
    """The event of a transition."""
    fields: dict[str, Any] = {
        "from": JobState.Value(f"JOB_STATE_{before}"),
        "to": JobState.Value(f"JOB_STATE_{after}"),
    }
    return Event(
        job_id=JOB_ID, revision=revision, attempt=1, transition=Transition(error=error, **fields)
    )


def tick(fraction: float, stage: str = "decode", attempt: int = 1, message: str = "") -> Event:
    """The event of progress."""
    progress = Progress(stage=stage, fraction=fraction, message=message)
    return Event(job_id=JOB_ID, revision=2, attempt=attempt, progress=progress)


def whole_run() -> list[Any]:
    """The stream of a job that succeeds."""
    return [
        snapshot(a_job(), "t0"),
        events("t1", moved(2, "QUEUED", "RUNNING")),
        events("t1", tick(0.25, message="45 of 180 s")),
        bookmark("t1"),
        events("t1", tick(0.75, "rhythm", message="140 of 180 s")),
        events("t2", moved(3, "RUNNING", "SUCCEEDED")),
    ]
