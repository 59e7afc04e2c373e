from datetime import timedelta

import pytest

from harken.jobs.execution import cancel_requested
from harken.jobs.job import ErrorKind
from harken.jobs.retry import retry_delay
from harken.jobs.state import JobState

# What can take a job from the attempt that holds it, so that it is claimed again.
TAKEN_AWAY = ["lose", "hand_back", "reap"]
LATE_WRITES = ["succeed", "fail", "retry", "stop"]


def take_away(jobs, job, how):
    """The attempt loses its job, and another worker claims that."""
    if how == "reap":
        jobs.advance(seconds=16)
        assert jobs.reap() == 1
    else:
        assert getattr(jobs, how)(job) is JobState.QUEUED
    second = jobs.claim(job, "worker-2@host")
    assert second is not None
    return second


def test_a_claimed_job_runs_at_its_worker(jobs):
    job = jobs.claim(jobs.submit(), "worker-9@host")
    assert (job.state, job.worker) == (JobState.RUNNING, "worker-9@host")
    assert (job.attempt, job.revision, job.start_time) == (1, 2, jobs.now)
    assert jobs.get(job) == job


def test_a_duplicate_delivery_loses_the_claim(jobs):
    job = jobs.running()
    assert jobs.claim(job, "worker-2@host") is None
    assert jobs.get(job) == job


def test_of_many_claims_at_once_exactly_one_wins(jobs):
    job = jobs.submit()
    claims = jobs.at_once(*[lambda n=n: jobs.claim(job, f"worker-{n}@host") for n in range(8)])
    (won,) = [claim for claim in claims if claim is not None]
    assert jobs.get(job).worker == won.worker
    assert len(jobs.log(job)) == 2


def test_a_claim_whose_commit_was_not_answered_is_the_same_claim_again(jobs):
    job = jobs.submit()
    tried = [jobs.now - timedelta(seconds=1), jobs.now]
    claimed = jobs.claim(job, pid=7)
    jobs.advance(seconds=3)
    assert jobs.claim(job, pid=7, tried=tried) == claimed
    assert jobs.get(job) == claimed
    assert len(jobs.log(job)) == 2


def test_a_claim_of_an_earlier_delivery_to_the_same_process_is_not_this_ones(jobs):
    job = jobs.submit()
    jobs.claim(job, pid=7)
    jobs.advance(seconds=3)
    assert jobs.claim(job, pid=7, tried=[jobs.now]) is None


def test_a_claim_that_was_not_committed_is_made_at_its_repetition(jobs):
    assert jobs.claim(jobs.submit(), tried=[jobs.now]).attempt == 1


def test_a_repeated_claim_takes_nothing_from_another_process(jobs):
    """The first try was not committed; then another delivery made the same attempt."""
    job = jobs.submit()
    claimed = jobs.claim(job, pid=7)
    assert jobs.claim(job, pid=8, tried=[jobs.now]) is None
    assert jobs.claim(job, "worker-2@host", pid=7, tried=[jobs.now]) is None
    assert jobs.get(job) == claimed


def test_a_second_delivery_to_the_process_that_holds_the_job_is_a_duplicate(jobs):
    job = jobs.submit()
    jobs.claim(job, pid=7)
    assert jobs.claim(job, pid=7) is None


@pytest.mark.parametrize("how", TAKEN_AWAY)
def test_a_repeated_claim_does_not_get_back_what_was_given_to_another(jobs, how):
    first = jobs.claim(jobs.submit(), pid=7)
    second = take_away(jobs, first, how)
    assert jobs.claim(first, pid=7, tried=[jobs.now]) is None
    assert jobs.get(first) == second


def test_a_repeated_claim_of_a_job_put_back_meanwhile_is_a_new_attempt(jobs):
    first = jobs.claim(jobs.submit(), pid=7)
    jobs.lose(first)
    assert jobs.claim(first, pid=7, tried=[jobs.now]).attempt == 2


def test_a_repeated_claim_of_a_job_being_cancelled_is_told_so(jobs):
    first = jobs.claim(jobs.submit(), pid=7)
    jobs.cancel(first)
    held = jobs.claim(first, pid=7, tried=[jobs.now])
    assert (held.state, held.attempt) == (JobState.CANCELLING, 1)
    assert jobs.stop(held) is JobState.CANCELLED


def test_a_repeated_claim_of_a_job_that_has_ended_is_none(jobs):
    first = jobs.claim(jobs.submit(), pid=7)
    jobs.fail(first)
    assert jobs.claim(first, pid=7, tried=[jobs.now]) is None


def test_a_job_that_does_not_exist_cannot_be_claimed(jobs):
    job = jobs.submit()
    ghost = type(job)(**{**vars(job), "job_id": "0197c0de-0000-7000-8000-000000000009"})
    assert jobs.claim(ghost) is None


def test_a_retry_cannot_be_claimed_before_its_time(jobs):
    job = jobs.running()
    jobs.retry(job)
    delay = retry_delay(0, 0.5)
    jobs.now += delay - timedelta(milliseconds=1)
    assert jobs.claim(job) is None
    jobs.advance(milliseconds=1)
    assert jobs.claim(job).attempt == 2


def test_a_cancelled_job_is_never_claimed(jobs):
    job = jobs.submit()
    jobs.cancel(job)
    assert jobs.claim(job) is None
    assert jobs.get(job).state is JobState.CANCELLED


def test_the_first_start_time_is_kept_over_later_attempts(jobs):
    job = jobs.running()
    jobs.advance(minutes=1)
    assert take_away(jobs, job, "lose").start_time == job.start_time


def test_a_result_is_kept_with_the_success(jobs):
    job = jobs.running()
    jobs.advance(seconds=3)
    result = {"media": {"duration_s": 1.5, "tags": {"title": "Ærø \x00 \ud800"}}, "beats": [1, 2]}
    assert jobs.succeed(job, result) is JobState.SUCCEEDED
    assert jobs.result(job) == result
    found = jobs.get(job)
    assert (found.state, found.end_time, found.error) == (JobState.SUCCEEDED, jobs.now, None)


def test_a_job_that_has_not_succeeded_has_no_result(jobs):
    job = jobs.running()
    assert jobs.result(job) is None
    jobs.fail(job)
    assert jobs.result(job) is None


def test_an_input_error_ends_the_job_at_once(jobs):
    job = jobs.running()
    assert jobs.fail(job, jobs.input_error()) is JobState.FAILED
    found = jobs.get(job)
    assert (found.error, found.end_time) == (jobs.input_error(), jobs.now)
    assert found.retries == 0


def test_an_error_message_may_hold_any_character(jobs):
    """A library's message with a NUL or half a character must not keep the failure from being written."""
    job = jobs.running()
    error = jobs.transient_error("bad \x00 tag \udcff in ü")
    assert jobs.fail(job, error) is JobState.FAILED
    message = jobs.get(job).error.message
    assert message.startswith("bad ")
    assert message.endswith(" in ü")


@pytest.mark.parametrize("late", LATE_WRITES)
@pytest.mark.parametrize("how", TAKEN_AWAY)
def test_a_zombies_write_is_refused(jobs, how, late):
    first = jobs.running()
    second = take_away(jobs, first, how)
    if late == "stop":
        jobs.cancel(second)
    before = jobs.get(first), jobs.log(first)
    assert getattr(jobs, late)(first) is None
    assert (jobs.get(first), jobs.log(first)) == before
    assert jobs.result(first) is None


@pytest.mark.parametrize("late", LATE_WRITES)
@pytest.mark.parametrize("how", TAKEN_AWAY)
def test_a_write_after_the_job_went_back_to_the_queue_is_refused(jobs, how, late):
    """Also while nobody else has claimed it: the attempt's number is still the zombie's."""
    job = jobs.running()
    jobs.advance(seconds=16)
    jobs.reap() if how == "reap" else getattr(jobs, how)(job)
    assert getattr(jobs, late)(job) is None
    assert jobs.get(job).state is JobState.QUEUED


@pytest.mark.parametrize("late", ["lose", "hand_back", "expire"])
def test_a_worker_cannot_release_a_job_that_another_one_holds(jobs, late):
    first = jobs.running()
    second = take_away(jobs, first, "reap")
    assert getattr(jobs, late)(first) is None
    assert jobs.get(first) == second


def test_only_one_of_two_ends_at_once_is_written(jobs):
    job = jobs.running()
    ends = jobs.at_once(lambda: jobs.succeed(job), lambda: jobs.fail(job))
    assert ends.count(None) == 1
    assert len(jobs.log(job)) == 3


def test_a_transient_error_puts_the_job_back_with_the_error_kept(jobs):
    job = jobs.running()
    assert jobs.retry(job) is JobState.QUEUED
    found = jobs.get(job)
    assert (found.retries, found.crashes, found.worker) == (1, 0, None)
    assert found.error == jobs.transient_error()
    assert found.end_time is None


def test_a_new_attempt_starts_without_the_error_of_the_last(jobs):
    job = jobs.running()
    jobs.retry(job)
    jobs.advance(minutes=10)
    assert jobs.claim(job).error is None


def test_a_job_whose_retries_are_spent_fails_with_its_last_error(jobs):
    job = jobs.running()
    for number in range(3):
        assert jobs.retry(job, error=jobs.transient_error(f"no {number}")) is JobState.QUEUED
        jobs.advance(minutes=10)
        job = jobs.claim(job)
    assert jobs.retry(job, error=jobs.transient_error("the last")) is JobState.FAILED
    found = jobs.get(job)
    assert (found.error.kind, found.error.message) == (ErrorKind.TRANSIENT, "the last")
    assert (found.retries, found.attempt) == (3, 4)
    assert jobs.claim(job) is None


def test_a_crash_puts_the_job_back_and_is_counted_apart_from_retries(jobs):
    job = jobs.running()
    assert jobs.lose(job) is JobState.QUEUED
    found = jobs.get(job)
    assert (found.crashes, found.retries, found.worker) == (1, 0, None)
    assert found.error.kind is ErrorKind.CRASHED
    assert "signal 9" in found.error.message


def test_a_job_that_crashes_too_often_fails_as_crashed(jobs):
    job = jobs.running()
    for _ in range(2):
        assert jobs.lose(job) is JobState.QUEUED
        job = jobs.claim(job)
    assert jobs.lose(job) is JobState.FAILED
    found = jobs.get(job)
    assert (found.error.kind, found.crashes) == (ErrorKind.CRASHED, 3)
    assert found.end_time == jobs.now


def test_a_hand_back_spends_neither_a_crash_nor_a_retry(jobs):
    job = jobs.running()
    for attempt in range(2, 10):
        assert jobs.hand_back(job) is JobState.QUEUED
        job = jobs.claim(job)
        assert (job.attempt, job.crashes, job.retries) == (attempt, 0, 0)


def test_a_job_killed_at_the_hard_limit_fails_as_timeout_and_is_not_tried_again(jobs):
    job = jobs.running()
    assert jobs.expire(job) is JobState.FAILED
    found = jobs.get(job)
    assert found.error.kind is ErrorKind.TIMEOUT
    assert "3600 s" in found.error.message
    assert found.retries == 0


def test_an_attempt_goes_on_while_nobody_asks_it_to_stop(jobs):
    job = jobs.running()
    assert not jobs.read(lambda c: cancel_requested(c, job.job_id, job.attempt))


def test_an_attempt_has_to_stop_once_cancel_is_asked_for(jobs):
    job = jobs.running()
    jobs.cancel(job)
    assert jobs.read(lambda c: cancel_requested(c, job.job_id, job.attempt))


@pytest.mark.parametrize("how", TAKEN_AWAY)
def test_an_attempt_has_to_stop_once_another_one_has_its_job(jobs, how):
    first = jobs.running()
    second = take_away(jobs, first, how)
    assert jobs.read(lambda c: cancel_requested(c, first.job_id, first.attempt))
    assert not jobs.read(lambda c: cancel_requested(c, first.job_id, second.attempt))


def test_a_late_report_of_a_loss_does_not_hit_the_next_attempt_on_the_same_worker(jobs):
    first = jobs.running()
    jobs.lose(first)
    second = jobs.claim(first)
    assert second.worker == first.worker
    for late in (jobs.lose, jobs.expire, jobs.hand_back):
        assert late(first) is None
    assert jobs.get(first) == second


def test_the_attempt_of_a_process_is_the_one_by_which_it_holds_the_job(jobs):
    job = jobs.claim(jobs.submit(), pid=7)
    assert jobs.attempt_of(job, pid=7) == 1
    assert jobs.attempt_of(job, pid=8) is None
    assert jobs.attempt_of(job, "worker-2@host", pid=7) is None
    jobs.cancel(job)
    assert jobs.attempt_of(job, pid=7) == 1


@pytest.mark.parametrize("how", ["lose", "hand_back", "reap", "succeed", "fail", "retry"])
def test_a_process_whose_attempt_is_over_holds_nothing(jobs, how):
    job = jobs.running()
    if how == "reap":
        jobs.advance(seconds=16)
        jobs.reap()
    else:
        getattr(jobs, how)(job)
    assert jobs.attempt_of(job) is None


@pytest.mark.parametrize("how", ["lose", "hand_back"])
def test_a_cancelled_job_says_when_its_process_was_gone_not_when_that_was_written(jobs, how):
    job = jobs.running()
    jobs.cancel(job)
    gone = jobs.now
    jobs.advance(seconds=30)
    assert getattr(jobs, how)(job, stopped_time=gone) is JobState.CANCELLED
    found = jobs.get(job)
    assert (found.stopped_time, found.end_time, found.crashes) == (gone, jobs.now, 0)


def test_a_job_keeps_how_long_an_attempt_may_take(jobs):
    job = jobs.submit(run_timeout=timedelta(seconds=1.5))
    assert jobs.get(job).run_timeout == timedelta(seconds=1.5)
    assert jobs.claim(job).run_timeout == timedelta(seconds=1.5)
    assert jobs.submit().run_timeout is None
