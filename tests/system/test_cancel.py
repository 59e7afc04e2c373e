"""Cancel means stopped: a waiting job never starts, a running one ends and frees its slot."""

from datetime import timedelta

from harken.v1.job_service_pb2 import (
    CancelBatchRequest,
    CancelJobRequest,
    GetBatchRequest,
    SubmitBatchRequest,
)
from harken.v1.source_pb2 import Source
from tests.conftest import in_time
from tests.system.conftest import CANCELLED, CANCELLING, SUCCEEDED, System

SLOT_FREE_WITHIN = timedelta(seconds=1)  # as promised


def test_a_running_job_stops_and_says_when(system: System) -> None:
    job = system.submit("3-hours.wav")
    system.until_running(job.job_id)

    asked = system.jobs.CancelJob(CancelJobRequest(job_id=job.job_id)).job
    system.follow(job.job_id)

    assert asked.state == CANCELLING
    stopped = system.get(job.job_id)
    assert stopped.state == CANCELLED
    assert stopped.stopped_time.ToDatetime() >= asked.start_time.ToDatetime()
    assert not stopped.HasField("result")
    assert not stopped.HasField("error")


def test_the_slot_of_a_cancelled_job_takes_the_next_one(system: System) -> None:
    def until_the_slot_is_taken() -> timedelta:
        running = [system.submit("3-hours.wav") for _ in range(2)]
        for job in running:
            system.until_running(job.job_id)
        waiting = system.submit("piece.mp3")

        for job in running:
            system.jobs.CancelJob(CancelJobRequest(job_id=job.job_id))
        for job in (waiting, *running):
            system.follow(job.job_id)

        done = system.get(waiting.job_id)
        assert done.state == SUCCEEDED
        stopped = min(system.get(job.job_id).stopped_time.ToDatetime() for job in running)
        return done.start_time.ToDatetime() - stopped

    in_time(SLOT_FREE_WITHIN, until_the_slot_is_taken)


def test_a_waiting_job_is_cancelled_at_once_and_never_starts(system: System) -> None:
    running = [system.submit("3-hours.wav", priority=9) for _ in range(2)]
    for job in running:
        system.until_running(job.job_id)
    waiting = system.submit("piece.mp3", priority=0)

    cancelled = system.jobs.CancelJob(CancelJobRequest(job_id=waiting.job_id)).job
    assert cancelled.state == CANCELLED
    assert cancelled.HasField("stopped_time")
    for job in running:
        system.jobs.CancelJob(CancelJobRequest(job_id=job.job_id))
        system.follow(job.job_id)
    # Its message is delivered before this one's, and loses its claim.
    system.follow(system.submit("piece.mp3", priority=0).job_id)

    after = system.get(waiting.job_id)
    assert (after.state, after.attempt, after.revision) == (CANCELLED, 0, 2)
    assert not after.HasField("start_time")


def test_cancel_of_a_finished_job_is_ok_and_changes_nothing(system: System) -> None:
    job = system.submit("piece.mp3")
    system.follow(job.job_id)
    before = system.get(job.job_id)

    system.jobs.CancelJob(CancelJobRequest(job_id=job.job_id))

    assert system.get(job.job_id) == before


def test_a_cancelled_batch_stops_as_a_whole(system: System) -> None:
    items = [SubmitBatchRequest.Item(source=Source(path="3-hours.wav")) for _ in range(6)]
    batch = system.jobs.SubmitBatch(SubmitBatchRequest(items=items)).batch

    system.jobs.CancelBatch(CancelBatchRequest(batch_id=batch.batch_id))
    system.follow_batch(batch.batch_id)

    ended = system.jobs.GetBatch(GetBatchRequest(batch_id=batch.batch_id)).batch
    assert (ended.total, ended.cancelled) == (6, 6)
    assert ended.HasField("end_time")
