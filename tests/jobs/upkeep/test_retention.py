from datetime import timedelta

import pytest

from harken.jobs import log
from harken.jobs.errors import BatchNotFound, JobNotFound
from harken.jobs.owners import keys
from harken.jobs.owners.scope import Scope
from harken.jobs.queueing import leadership
from harken.jobs.queueing.workers import Heartbeat, beat, list_workers
from harken.jobs.upkeep import retention


def clean(jobs, days=30):
    moment = retention.moment_of(jobs.now, days)
    return jobs.write(lambda c: retention.delete_ended_before(c, moment))


def clean_batches(jobs, days=30):
    moment = retention.moment_of(jobs.now, days)
    return jobs.write(lambda c: retention.delete_empty_batches(c, moment))


def test_an_ended_job_goes_with_its_result_and_log_after_its_retention(jobs):
    job = jobs.running()
    jobs.succeed(job, {"a": 1})
    jobs.advance(days=30)
    assert clean(jobs) == 0
    assert jobs.result(job) == {"a": 1}
    jobs.advance(seconds=1)
    assert clean(jobs) == 1
    with pytest.raises(JobNotFound):
        jobs.get(job)
    assert jobs.result(job) is None
    assert jobs.log(job) == ()


def test_a_job_that_has_not_ended_is_kept_however_old_it_is(jobs):
    kept = [jobs.submit(), jobs.running()]
    cancelling = jobs.running()
    jobs.cancel(cancelling)
    jobs.advance(days=1000)
    assert clean(jobs) == 0
    assert len(jobs.listed()) == len([*kept, cancelling])


def test_what_counts_is_when_a_job_ended_not_when_it_was_made(jobs):
    job = jobs.running()
    jobs.advance(days=100)
    jobs.succeed(job)
    assert clean(jobs) == 0


def test_failed_and_cancelled_jobs_go_too(jobs):
    jobs.fail(jobs.running())
    jobs.cancel(jobs.submit())
    jobs.advance(days=31)
    assert clean(jobs) == 2


def test_many_jobs_go_a_few_at_a_time_until_none_is_left(jobs, monkeypatch):
    monkeypatch.setattr(retention, "CHUNK", 2)
    for _ in range(5):
        jobs.cancel(jobs.submit())
    jobs.advance(days=31)
    assert [clean(jobs) for _ in range(4)] == [2, 2, 1, 0]


def test_a_batch_goes_when_its_last_job_has_gone(jobs):
    batch = jobs.submit_batch(jobs.new(), jobs.new())
    done, running = jobs.listed()
    jobs.cancel(done)
    jobs.claim(running)
    jobs.advance(days=31)
    assert (clean(jobs), clean_batches(jobs)) == (1, 0)
    jobs.cancel(running)
    jobs.stop(jobs.get(running))
    jobs.advance(days=31)
    assert (clean(jobs), clean_batches(jobs)) == (1, 1)
    with pytest.raises(BatchNotFound):
        jobs.batch(batch)


def test_a_batch_without_any_job_is_kept_for_its_retention(jobs):
    batch = jobs.submit_batch()
    jobs.advance(days=30)
    assert clean_batches(jobs) == 0
    assert jobs.batch(batch).total == 0
    jobs.advance(seconds=1)
    assert clean_batches(jobs) == 1


def test_a_request_id_can_be_used_again_once_its_job_has_gone(jobs):
    request_id = "0197c0de-0000-7000-8000-000000000001"
    job = jobs.submit(request_id=request_id)
    jobs.cancel(job)
    jobs.advance(days=31)
    clean(jobs)
    assert jobs.submit("other.wav", request_id=request_id).job_id != job.job_id


def test_a_reader_of_the_log_goes_on_after_a_clean_up(jobs):
    jobs.cancel(jobs.submit())
    head = jobs.read(log.head)
    jobs.advance(days=31)
    clean(jobs)
    job = jobs.submit()
    (row,) = jobs.read(lambda c: log.after(c, head))
    assert row.job_id == job.job_id


def test_workers_that_are_no_longer_shown_are_deleted(jobs):
    silent = Heartbeat(
        name="w@host",
        hostname="host",
        pid=1,
        version="0",
        queues=(),
        concurrency=1,
        jobs_done=0,
        stopping=False,
        start_time=jobs.now,
    )
    jobs.write(lambda c: beat(c, silent, jobs.now))
    jobs.advance(days=1)
    assert jobs.write(lambda c: retention.delete_silent_workers(c, jobs.now)) == 0
    jobs.advance(seconds=1)
    assert jobs.write(lambda c: retention.delete_silent_workers(c, jobs.now)) == 1
    jobs.advance(days=-1)
    assert jobs.read(lambda c: list_workers(c, jobs.now)) == ()


def test_the_leases_of_servers_that_are_long_gone_are_deleted(jobs):
    for role in ("server a", "server b"):
        jobs.write(lambda c, role=role: leadership.lead(c, role, holder=role, now=jobs.now))
    jobs.advance(days=1)
    jobs.write(lambda c: leadership.lead(c, "server b", holder="server b", now=jobs.now))
    jobs.advance(seconds=3)
    assert jobs.write(lambda c: retention.delete_gone_servers(c, jobs.now)) == 1
    assert jobs.write(lambda c: retention.delete_gone_servers(c, jobs.now)) == 0


def test_the_moment_is_so_many_days_ago(jobs):
    assert retention.moment_of(jobs.now, 30) == jobs.now - timedelta(days=30)


def test_a_key_that_holds_no_longer_is_kept_for_as_long_as_the_record_may_name_it(jobs):
    def make(owner, **fields):
        made = jobs.write(
            lambda c: keys.create_key(c, owner=owner, scopes={Scope.READ}, now=jobs.now, **fields)
        )
        return made[0].key_id

    holds, revoked = make("holds"), make("revoked")
    make("expires", lifetime=timedelta(days=1))
    jobs.write(lambda c: keys.revoke_key(c, revoked, now=jobs.now))

    def clean_keys():
        jobs.write(lambda c: retention.delete_old_keys(c, jobs.now))
        return [key.owner for key in jobs.read(keys.list_keys)]

    jobs.advance(days=365)
    assert len(clean_keys()) == 3
    jobs.advance(seconds=1)
    assert set(clean_keys()) == {"holds", "expires"}
    jobs.advance(days=1)
    assert clean_keys() == ["holds"]
    assert jobs.read(keys.list_keys)[0].key_id == holds
