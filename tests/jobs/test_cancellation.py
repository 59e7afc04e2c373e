import pytest

from harken.jobs.cancellation import cancel_batch, cancel_job
from harken.jobs.errors import BatchNotFound, JobNotFound
from harken.jobs.state import JobState

NOBODYS = "0197c0de-0000-7000-8000-00000000dead"


def test_a_queued_job_is_cancelled_at_once(jobs):
    job = jobs.cancel(jobs.submit())
    assert job.state is JobState.CANCELLED
    assert job.end_time == job.stopped_time == jobs.now


def test_a_job_that_waits_for_its_retry_is_cancelled_at_once(jobs):
    job = jobs.running()
    jobs.retry(job)
    assert jobs.cancel(job).state is JobState.CANCELLED


def test_a_running_job_is_asked_and_has_stopped_only_when_its_worker_says_so(jobs):
    job = jobs.running()
    asked = jobs.cancel(job)
    assert (asked.state, asked.stopped_time, asked.end_time) == (JobState.CANCELLING, None, None)
    jobs.advance(seconds=2)
    assert jobs.stop(job) is JobState.CANCELLED
    ended = jobs.get(job)
    assert ended.stopped_time == ended.end_time == jobs.now


def test_asking_twice_changes_nothing_more(jobs):
    job = jobs.running()
    asked = jobs.cancel(job)
    jobs.advance(seconds=1)
    assert jobs.cancel(job) == asked


@pytest.mark.parametrize("end", ["succeed", "fail"])
def test_a_job_that_has_ended_stays_as_it_is(jobs, end):
    job = jobs.running()
    getattr(jobs, end)(job)
    ended = jobs.get(job)
    jobs.advance(seconds=1)
    assert jobs.cancel(job) == ended
    assert jobs.get(job) == ended


def test_work_that_ends_well_before_it_sees_the_request_has_succeeded(jobs):
    job = jobs.running()
    jobs.cancel(job)
    assert jobs.succeed(job, {"a": 1}) is JobState.SUCCEEDED
    assert jobs.result(job) == {"a": 1}
    assert jobs.get(job).stopped_time is None


def test_work_that_fails_before_it_sees_the_request_has_failed(jobs):
    job = jobs.running()
    jobs.cancel(job)
    assert jobs.fail(job) is JobState.FAILED


@pytest.mark.parametrize("how", ["lose", "hand_back", "retry"])
def test_a_job_being_cancelled_never_goes_back_to_the_queue(jobs, how):
    job = jobs.running()
    jobs.cancel(job)
    assert getattr(jobs, how)(job) is JobState.CANCELLED
    ended = jobs.get(job)
    assert (ended.stopped_time, ended.error) == (jobs.now, None)


def test_a_job_being_cancelled_whose_worker_is_gone_is_cancelled_by_the_reaper(jobs):
    job = jobs.running()
    jobs.cancel(job)
    jobs.advance(seconds=16)
    assert jobs.reap() == 1
    assert jobs.get(job).state is JobState.CANCELLED


def test_a_worker_cannot_stop_a_job_that_nobody_cancelled(jobs):
    job = jobs.running()
    assert jobs.stop(job) is None
    assert jobs.get(job).state is JobState.RUNNING


def test_cancelling_a_batch_reaches_each_job_that_has_not_ended(jobs):
    batch = jobs.submit_batch(*[jobs.new(f"{n}.wav") for n in range(4)])
    done, running, *_ = jobs.listed()
    jobs.succeed(jobs.claim(done))
    jobs.claim(running)
    other = jobs.submit()
    asked = jobs.cancel_batch(batch)
    assert (asked.succeeded, asked.running, asked.cancelled, asked.queued) == (1, 1, 2, 0)
    assert jobs.get(running).state is JobState.CANCELLING
    assert jobs.get(other).state is JobState.QUEUED
    jobs.advance(seconds=1)
    jobs.stop(jobs.get(running))
    ended = jobs.batch(batch)
    assert (ended.ended, ended.cancelled, ended.end_time) == (True, 3, jobs.now)


def test_cancelling_an_ended_batch_changes_nothing(jobs):
    batch = jobs.submit_batch(jobs.new())
    first = jobs.cancel_batch(batch)
    jobs.advance(seconds=1)
    assert jobs.cancel_batch(batch) == first


def test_two_who_cancel_the_same_batch_at_once_are_both_answered(jobs):
    batch = jobs.submit_batch(*[jobs.new(f"{n}.wav") for n in range(50)])
    answers = jobs.at_once(*[lambda: jobs.cancel_batch(batch)] * 3)
    assert {answer.cancelled for answer in answers} == {50}
    assert all(len(jobs.log(job)) == 2 for job in jobs.listed())


def test_claim_and_cancel_at_once_leave_a_job_that_was_either(jobs):
    for _ in range(10):
        job = jobs.submit()
        claimed, _ = jobs.at_once(lambda j=job: jobs.claim(j), lambda j=job: jobs.cancel(j))
        expected = JobState.CANCELLING if claimed else JobState.CANCELLED
        assert jobs.get(job).state is expected


def test_cancelling_what_does_not_exist_says_so(jobs):
    with pytest.raises(JobNotFound):
        jobs.write(lambda c: cancel_job(c, NOBODYS, owner="local", now=jobs.now))
    with pytest.raises(BatchNotFound):
        jobs.write(lambda c: cancel_batch(c, NOBODYS, owner="local", now=jobs.now))


def test_another_owners_job_cannot_be_cancelled(jobs):
    job = jobs.submit(owner="other")
    with pytest.raises(JobNotFound):
        jobs.write(lambda c: cancel_job(c, job.job_id, owner="local", now=jobs.now))
    assert jobs.get(job).state is JobState.QUEUED
