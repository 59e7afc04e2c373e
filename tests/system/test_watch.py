"""Watching a job: before it starts, in the middle, after its end, and again from where one was."""

import uuid

import grpc
import pytest

from harken.v1.job_service_pb2 import StreamProgressRequest
from tests.system.conftest import CANCELLED, QUEUED, RUNNING, SUCCEEDED, System


def kinds(messages: list) -> list[str]:
    """What the messages bring."""
    return [message.WhichOneof("message") for message in messages]


def transitions(messages: list) -> list:
    """The events of the messages that are transitions."""
    return [
        event
        for message in messages
        for event in message.events.events
        if event.HasField("transition")
    ]


def refusal(system: System, **fields: object) -> grpc.RpcError:
    """The error that a stream ends with."""
    with pytest.raises(grpc.RpcError) as refused:
        list(system.jobs.StreamProgress(StreamProgressRequest(**fields)))
    return refused.value


def test_who_watches_before_the_start_sees_everything(system: System) -> None:
    # Two long jobs keep both slots, so that the third one waits.
    ahead = [system.submit("3-hours.wav", priority=9) for _ in range(2)]
    for job in ahead:
        system.until_running(job.job_id)
    job = system.submit("piece.flac")
    stream = system.jobs.StreamProgress(StreamProgressRequest(job_id=job.job_id))
    first = next(stream)
    assert first.snapshot.job.state == QUEUED

    for other in ahead:
        system.client.cancel_job(other.job_id)
    rest = list(stream)

    assert [event.transition.to for event in transitions(rest)] == [RUNNING, SUCCEEDED]
    assert [event.revision for event in transitions(rest)] == [2, 3]


def test_who_joins_late_gets_a_snapshot_and_the_progress_at_once(system: System) -> None:
    job = system.submit("3-hours.wav")
    system.until_running(job.job_id)

    stream = system.jobs.StreamProgress(StreamProgressRequest(job_id=job.job_id))
    first, second = next(stream), next(stream)

    assert first.snapshot.job.state == RUNNING
    assert second.events.events[0].progress.stage
    system.client.cancel_job(job.job_id)
    assert transitions(list(stream))[-1].transition.to == CANCELLED


def test_who_watches_after_the_end_gets_the_end_and_the_stream_ends(system: System) -> None:
    job = system.submit("piece.mp3")
    system.follow(job.job_id)

    messages = system.follow(job.job_id)

    assert kinds(messages) == ["snapshot"]
    assert messages[0].snapshot.job.state == SUCCEEDED


def test_a_resumed_stream_brings_what_came_after_its_token_and_nothing_twice(
    system: System,
) -> None:
    job = system.submit("piece.mp3")
    messages = system.follow(job.job_id)

    for index, message in enumerate(messages):
        seen = [messages[0].snapshot.job.revision]
        seen += [event.revision for event in transitions(messages[: index + 1])]
        resumed = system.follow(job.job_id, resume_token=message.resume_token)
        replayed = [event.revision for event in transitions(resumed)]
        assert replayed == list(range(max(seen) + 1, 4))
        assert kinds(resumed) == (["events"] if replayed else ["bookmark"])


def test_an_idle_stream_shows_that_it_is_alive(system: System) -> None:
    ahead = [system.submit("3-hours.wav", priority=9) for _ in range(2)]
    for job in ahead:
        system.until_running(job.job_id)
    job = system.submit("piece.mp3", priority=0)
    request = StreamProgressRequest(job_id=job.job_id)
    request.heartbeat_interval.FromSeconds(1)

    stream = system.jobs.StreamProgress(request)

    assert [next(stream).WhichOneof("message") for _ in range(3)] == [
        "snapshot",
        "bookmark",
        "bookmark",
    ]
    stream.cancel()
    for other in ahead:
        system.client.cancel_job(other.job_id)
        system.follow(other.job_id)
    system.follow(job.job_id)


@pytest.mark.parametrize("token", ["nonsense", "AAAA", "ü", "A" * 5000])
def test_a_token_that_was_not_made_here_is_refused(system: System, token: str) -> None:
    job = system.submit("piece.mp3")

    error = refusal(system, job_id=job.job_id, resume_token=token)

    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "resume_token" in error.details()
    system.follow(job.job_id)


def test_a_token_of_another_job_is_refused(system: System) -> None:
    jobs = [system.submit("piece.mp3") for _ in range(2)]
    token = system.follow(jobs[0].job_id)[-1].resume_token

    error = refusal(system, job_id=jobs[1].job_id, resume_token=token)

    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    system.follow(jobs[1].job_id)


def test_an_unknown_job_is_not_found_and_a_malformed_id_is_invalid(system: System) -> None:
    assert refusal(system, job_id=str(uuid.uuid4())).code() is grpc.StatusCode.NOT_FOUND
    assert refusal(system, batch_id=str(uuid.uuid4())).code() is grpc.StatusCode.NOT_FOUND
    assert refusal(system, job_id="42").code() is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal(system).code() is grpc.StatusCode.INVALID_ARGUMENT


def test_dropped_streams_do_the_server_no_harm(system: System) -> None:
    job = system.submit("3-hours.wav")
    system.until_running(job.job_id)

    for _ in range(200):
        stream = system.jobs.StreamProgress(StreamProgressRequest(job_id=job.job_id))
        next(stream)
        stream.cancel()

    system.client.cancel_job(job.job_id)
    system.follow(job.job_id)
    assert system.get(job.job_id).state == CANCELLED
    assert system.log("server").count("serving on") == 1
