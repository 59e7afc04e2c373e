"""The stream's messages to updates, and back."""

from collections.abc import Iterator
from datetime import UTC
from typing import Any, cast

from harken.client.batch import Batch
from harken.client.convert import decode, encode, member_of, number_of
from harken.client.enums import JobState
from harken.client.job import Job, JobError, Progress
from harken.client.update import BatchSnapshot, JobSnapshot, ProgressTick, Transition, Update
from harken.v1.batch_pb2 import Batch as BatchMessage
from harken.v1.event_pb2 import Event
from harken.v1.job_pb2 import Job as JobMessage
from harken.v1.job_pb2 import JobError as JobErrorMessage
from harken.v1.job_pb2 import Progress as ProgressMessage
from harken.v1.job_service_pb2 import StreamProgressResponse


def updates_in(message: StreamProgressResponse, token_before: str) -> Iterator[Update]:
    """The updates that a message of the stream brings, none for a bookmark.

    Only the last of them carries the message's own token: who resumes after an earlier one has to
    be sent the message again, and so that one carries `token_before`, the token of the message
    before.
    """
    match message.WhichOneof("message"):
        case "snapshot" if message.snapshot.WhichOneof("target") == "job":
            job = decode(Job, message.snapshot.job)
            yield JobSnapshot(job=job, resume_token=message.resume_token)
        case "snapshot" if message.snapshot.WhichOneof("target") == "batch":
            batch = decode(Batch, message.snapshot.batch)
            yield BatchSnapshot(batch=batch, resume_token=message.resume_token)
        case "events":
            last = len(message.events.events) - 1
            for place, event in enumerate(message.events.events):
                token = message.resume_token if place == last else token_before
                update = _update_of(event, token)
                if update is not None:
                    yield update
        case _:
            pass


def _update_of(event: Event, resume_token: str) -> Transition | ProgressTick | None:
    """The update that an event is; None for a kind that this client does not know."""
    common: dict[str, Any] = {
        "job_id": event.job_id,
        "revision": event.revision,
        "attempt": event.attempt,
        "time": event.time.ToDatetime(tzinfo=UTC) if event.HasField("time") else None,
        "resume_token": resume_token,
    }
    match event.WhichOneof("kind"):
        case "progress":
            return ProgressTick(progress=decode(Progress, event.progress), **common)
        case "transition":
            change = event.transition
            # `from` is a keyword of Python: the attribute cannot be written out.
            before = member_of(JobState, getattr(change, "from"))
            return Transition(
                from_state=None if before is JobState.UNKNOWN else before,
                to_state=member_of(JobState, change.to),
                error=decode(JobError, change.error) if change.HasField("error") else None,
                **common,
            )
        case _:
            return None


def message_of(update: Update) -> StreamProgressResponse:
    """The message of the stream that would bring this update alone."""
    message = StreamProgressResponse(resume_token=update.resume_token)
    match update:
        case JobSnapshot():
            message.snapshot.job.CopyFrom(cast(JobMessage, encode(update.job)))
        case BatchSnapshot():
            message.snapshot.batch.CopyFrom(cast(BatchMessage, encode(update.batch)))
        case Transition() | ProgressTick():
            message.events.events.append(_event_of(update))
    return message


def _event_of(update: Transition | ProgressTick) -> Event:
    event = Event(job_id=update.job_id, revision=update.revision, attempt=update.attempt)
    if update.time is not None:
        event.time.FromDatetime(update.time)
    if isinstance(update, ProgressTick):
        event.progress.CopyFrom(cast(ProgressMessage, encode(update.progress)))
        return event
    event.transition.to = number_of(update.to_state)
    if update.from_state is not None:
        setattr(event.transition, "from", number_of(update.from_state))
    if update.error is not None:
        event.transition.error.CopyFrom(cast(JobErrorMessage, encode(update.error)))
    return event
