"""Jobs that are no analyses are carried by the same core, and told apart."""

from datetime import timedelta

import pytest

from harken.jobs import execution, redrive, submission
from harken.jobs.action import ActionKind, Asked
from harken.jobs.errors import RequestIdReused
from harken.jobs.ids import new_id
from harken.jobs.job import NO_SOURCE, JobKind, NewJob
from harken.jobs.state import JobState
from harken.jobs.store.migrate import downgrade, migrate

SPEC = {"format": "csv", "labels": {"b": "2", "a": "1"}}


def export(**fields):
    wanted = {"spec": SPEC, **fields}
    return NewJob(source=NO_SOURCE, features=(), queue="maintenance", kind=JobKind.EXPORT, **wanted)


@pytest.fixture
def submit(jobs):
    """Submits an export."""

    def write(**fields):
        new = export(**fields)
        return jobs.write(lambda c: submission.submit_job(c, new, owner="local", now=jobs.now))

    return write


def test_a_job_keeps_its_kind_and_what_is_to_be_done(jobs, submit):
    job = submit()
    assert (job.kind, job.spec, job.source) == (JobKind.EXPORT, SPEC, NO_SOURCE)
    assert jobs.get(job) == job
    claimed = jobs.claim(job)
    assert (claimed.kind, claimed.spec) == (JobKind.EXPORT, SPEC)


def test_an_analysis_has_no_more_to_be_done_than_its_columns_say(jobs):
    job = jobs.submit()
    assert (job.kind, job.spec) == (JobKind.ANALYSIS, None)
    (item,) = jobs.listed(batch_id=jobs.submit_batch(jobs.new()).batch_id)
    assert (item.kind, item.spec) == (JobKind.ANALYSIS, None)


def test_jobs_of_several_kinds_are_written_together(jobs):
    """As when a filter retries both."""
    now = jobs.now
    pairs = [(new_id(now), new) for new in (jobs.new(), export(), jobs.new("b.wav"))]
    jobs.write(lambda c: submission.insert_jobs(c, pairs, owner="local", batch_id=None, now=now))
    assert {job.job_id: job.kind for job in jobs.listed()} == {
        job_id: new.kind for job_id, new in pairs
    }
    assert all(len(jobs.log(job)) == 1 for job in jobs.listed())


def test_a_list_can_be_of_one_kind(jobs, submit):
    analysis, exported = jobs.submit(), submit()
    assert [job.job_id for job in jobs.listed(kinds=[JobKind.EXPORT])] == [exported.job_id]
    assert [job.job_id for job in jobs.listed(kinds=[JobKind.ANALYSIS])] == [analysis.job_id]
    assert len(jobs.listed()) == 2


def test_the_broker_is_told_the_kind(jobs, submit):
    job = submit()
    assert [(out.job_id, out.kind) for out in jobs.due()] == [(job.job_id, JobKind.EXPORT)]


def test_a_request_id_with_another_thing_to_do_is_refused(jobs, submit):
    request_id = new_id(jobs.now)
    first = submit(request_id=request_id)
    reordered = {"labels": {"a": "1", "b": "2"}, "format": "csv"}
    assert submit(request_id=request_id, spec=reordered).job_id == first.job_id
    with pytest.raises(RequestIdReused):
        submit(request_id=request_id, spec={**SPEC, "format": "jsonl"})


def test_a_retry_does_the_same_once_more(jobs, submit):
    job = jobs.claim(submit())
    jobs.fail(job, jobs.transient_error())
    jobs.advance(seconds=1)
    asked = Asked(kind=ActionKind.RETRY_JOBS, owner="local", peer="test", request={})
    wanted = redrive.ByIds(job_ids=(job.job_id,))
    action = jobs.write(lambda c: redrive.retry_jobs(c, wanted, asked, force=False, now=jobs.now))
    (again,) = [one for one in jobs.listed() if one.job_id == action.outcomes[0].new_job_id]
    assert (again.kind, again.spec, again.retry_of) == (JobKind.EXPORT, SPEC, job.job_id)


def test_it_ends_without_a_result(jobs, submit):
    job = jobs.claim(submit(run_timeout=timedelta(minutes=1)))
    written = jobs.write(lambda c: execution.succeed(c, job.job_id, job.attempt, None, jobs.now))
    assert written is JobState.SUCCEEDED
    assert jobs.result(job) is None


def test_a_schema_that_knows_no_kinds_keeps_the_analyses_and_drops_the_rest(jobs, submit):
    """An older harken would take an export for an analysis of a file without a name."""
    analysis = jobs.submit()
    submit()
    database = jobs.database
    downgrade(database, "0008")
    migrate(database)
    assert [job.job_id for job in jobs.listed()] == [analysis.job_id]
    assert jobs.get(analysis) == analysis
