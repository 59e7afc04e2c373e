"""A job that no worker takes in time fails, whatever else goes on."""

from datetime import timedelta

import pytest

from harken.jobs import deadlines
from harken.jobs.errors import RequestIdReused
from harken.jobs.job import ErrorKind
from harken.jobs.state import JobState

TEN_MINUTES = timedelta(minutes=10)
REQUEST_ID = "0197c0de-0000-7000-8000-000000000000"


def test_a_job_that_has_not_started_in_time_fails_as_timeout(jobs):
    job = jobs.submit(schedule_timeout=TEN_MINUTES)
    jobs.advance(minutes=10)
    assert jobs.fail_overdue() == 1
    failed = jobs.get(job)
    assert (failed.state, failed.revision, failed.attempt) == (JobState.FAILED, 2, 0)
    assert (failed.error.kind, failed.error.reason) == (ErrorKind.TIMEOUT, "SCHEDULE_TIMEOUT")
    assert "600 s" in failed.error.message
    assert failed.end_time == jobs.now
    assert [entry.after for entry in jobs.log(job)] == [JobState.QUEUED, JobState.FAILED]


def test_until_then_it_waits(jobs):
    job = jobs.submit(schedule_timeout=TEN_MINUTES)
    jobs.advance(minutes=9, seconds=59)
    assert jobs.fail_overdue() == 0
    assert jobs.claim(job) is not None


def test_a_job_without_one_waits_for_ever(jobs):
    job = jobs.submit()
    jobs.advance(days=10_000)
    assert jobs.fail_overdue() == 0
    assert jobs.get(job).state is JobState.QUEUED


def test_a_claim_that_comes_too_late_is_refused(jobs):
    """Also when the server has not got round to failing the job."""
    job = jobs.submit(schedule_timeout=TEN_MINUTES)
    jobs.advance(minutes=10)
    assert jobs.claim(job) is None
    assert jobs.get(job).state is JobState.QUEUED


@pytest.mark.parametrize("put_back", ["hand_back", "lose", "retry"])
def test_a_job_that_started_in_time_may_start_again_later(jobs, put_back):
    job = jobs.running(schedule_timeout=TEN_MINUTES)
    jobs.advance(hours=1)
    getattr(jobs, put_back)(job)
    jobs.advance(hours=1)
    assert jobs.fail_overdue() == 0
    assert jobs.claim(job).attempt == 2


def test_running_and_ended_jobs_are_left_alone(jobs):
    running = jobs.running(schedule_timeout=TEN_MINUTES)
    cancelled = jobs.cancel(jobs.submit(schedule_timeout=TEN_MINUTES))
    jobs.advance(hours=1)
    assert jobs.fail_overdue() == 0
    assert jobs.get(running) == running
    assert jobs.get(cancelled) == cancelled


def test_many_fail_a_chunk_at_a_time(jobs):
    number = deadlines.CHUNK + 1
    batch = jobs.submit_batch(*(jobs.new(schedule_timeout=TEN_MINUTES) for _ in range(number)))
    jobs.advance(hours=1)
    assert jobs.fail_overdue() == deadlines.CHUNK
    assert jobs.read(lambda c: deadlines.any_overdue(c, jobs.now))
    assert jobs.fail_overdue() == 1
    assert not jobs.read(lambda c: deadlines.any_overdue(c, jobs.now))
    assert jobs.batch(batch).failed == number


def test_of_a_claim_and_the_deadline_one_comes_first(jobs):
    """At the same moment in the database, whatever the clocks of the two say."""
    for _ in range(10):
        job = jobs.submit(schedule_timeout=TEN_MINUTES)
        late = jobs.now + TEN_MINUTES
        claimed, failed = jobs.at_once(
            lambda job=job: jobs.claim(job),
            lambda late=late: jobs.write(lambda c: deadlines.fail_overdue(c, late)),
        )
        assert (claimed is None) == (failed == 1)


def test_a_repeated_request_has_to_ask_for_the_same_deadline(jobs):
    job = jobs.submit(request_id=REQUEST_ID, schedule_timeout=TEN_MINUTES)
    assert jobs.submit(request_id=REQUEST_ID, schedule_timeout=TEN_MINUTES) == job
    with pytest.raises(RequestIdReused):
        jobs.submit(request_id=REQUEST_ID)


def test_its_deadline_is_counted_from_its_submission(jobs):
    job = jobs.submit(schedule_timeout=TEN_MINUTES)
    assert job.schedule_deadline - job.create_time == TEN_MINUTES
