from datetime import timedelta

from harken.jobs import execution, leases
from harken.jobs.job import ErrorKind
from harken.jobs.state import JobState


def any_expired(jobs):
    return jobs.read(lambda c: leases.any_expired(c, jobs.now))


def test_a_job_whose_worker_renews_its_lease_is_left_alone(jobs):
    job = jobs.running()
    for _ in range(5):
        jobs.advance(seconds=10)
        jobs.renew(job)
        assert not any_expired(jobs)
        assert jobs.reap() == 0
    assert jobs.get(job) == job


def test_a_job_whose_worker_is_gone_goes_back_to_the_queue(jobs):
    job = jobs.running()
    jobs.advance(seconds=15)
    assert not any_expired(jobs)
    assert jobs.reap() == 0
    jobs.advance(milliseconds=1)
    assert any_expired(jobs)
    assert jobs.reap() == 1
    found = jobs.get(job)
    assert (found.state, found.crashes, found.worker) == (JobState.QUEUED, 1, None)
    assert [out.job_id for out in jobs.due()] == [job.job_id]
    assert not any_expired(jobs)


def test_a_worker_may_have_leases_of_another_length(jobs):
    job = jobs.submit()
    minute = timedelta(minutes=1)
    claimed = jobs.write(
        lambda c: execution.claim(c, job.job_id, worker="w@host", pid=1, now=jobs.now, lease=minute)
    )
    for _ in range(2):
        jobs.advance(seconds=60)
        assert not any_expired(jobs)
        jobs.write(lambda c: leases.renew(c, [(job.job_id, claimed.attempt)], jobs.now, minute))
    jobs.advance(seconds=60.001)
    assert any_expired(jobs)


def test_a_job_whose_workers_go_too_often_fails_as_crashed(jobs):
    job = jobs.running()
    jobs.advance(seconds=16)
    assert jobs.reap(max_crashes=1) == 1
    found = jobs.get(job)
    assert (found.state, found.error.kind) == (JobState.FAILED, ErrorKind.CRASHED)


def test_a_worker_cannot_renew_a_lease_it_no_longer_holds(jobs):
    job = jobs.running()
    jobs.advance(seconds=16)
    jobs.reap()
    jobs.claim(job)  # the same worker again: the attempt alone tells them apart
    jobs.advance(seconds=14)
    assert jobs.renew(job) == ()
    jobs.advance(seconds=2)
    assert jobs.reap() == 1


def test_a_lease_on_a_job_being_cancelled_is_renewed_and_reaped_too(jobs):
    job = jobs.running()
    jobs.cancel(job)
    jobs.advance(seconds=10)
    jobs.renew(job)
    jobs.advance(seconds=10)
    assert jobs.reap() == 0
    jobs.advance(seconds=6)
    assert jobs.reap() == 1
    assert jobs.get(job).state is JobState.CANCELLED


def test_jobs_that_have_ended_or_wait_have_no_lease(jobs):
    jobs.submit()
    jobs.succeed(jobs.running())
    jobs.retry(jobs.running())
    jobs.advance(days=1)
    assert not any_expired(jobs)
    assert jobs.reap() == 0


def test_renewing_nothing_is_no_error(jobs):
    job = jobs.running()
    jobs.renew()
    assert jobs.get(job) == job


def test_many_expired_leases_are_reaped_a_few_at_a_time(jobs, monkeypatch):
    monkeypatch.setattr(leases, "CHUNK", 2)
    for _ in range(5):
        jobs.running()
    jobs.advance(seconds=16)
    assert [jobs.reap() for _ in range(4)] == [2, 2, 1, 0]


def test_two_reapers_at_once_count_one_crash(jobs):
    held = [jobs.running() for _ in range(10)]
    jobs.advance(seconds=16)
    jobs.at_once(*[jobs.reap] * 3)
    assert [jobs.get(job).crashes for job in held] == [1] * 10


def test_a_renewal_tells_which_jobs_are_to_stop_and_for_how_long(jobs):
    job = jobs.claim(jobs.submit(run_timeout=timedelta(minutes=10)), pid=7)
    (standing,) = jobs.renew(job)
    assert (standing.job_id, standing.attempt, standing.pid) == (job.job_id, 1, 7)
    assert (standing.state, standing.cancelled_for) == (JobState.RUNNING, None)
    assert standing.run_timeout == timedelta(minutes=10)
    jobs.cancel(job)
    jobs.advance(seconds=3)
    (standing,) = jobs.renew(job)
    assert (standing.state, standing.cancelled_for) == (JobState.CANCELLING, timedelta(seconds=3))


def test_asking_where_jobs_stand_prolongs_nothing_and_tells_who_has_them(jobs):
    first = jobs.running()
    jobs.advance(seconds=16)
    assert [standing.attempt for standing in jobs.look(first)] == [1]
    assert jobs.reap() == 1
    (standing,) = jobs.look(first)
    assert (standing.state, standing.worker) == (JobState.QUEUED, None)
    jobs.claim(first, "worker-2@host", pid=9)
    (standing,) = jobs.look(first)
    assert (standing.attempt, standing.worker, standing.pid) == (2, "worker-2@host", 9)
    jobs.succeed(jobs.get(first))
    assert [standing.state for standing in jobs.look(first)] == [JobState.SUCCEEDED]
