"""Retries make new jobs, once each; what was retried or dismissed is no dead letter any more; all of it is recorded."""

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import select

from harken.jobs import audit, cancellation, queries, redrive
from harken.jobs.action import ActionKind, Asked, Outcome, Refusal
from harken.jobs.errors import ActionNotFound, RequestIdReused
from harken.jobs.ids import lowest_id
from harken.jobs.job import ErrorKind, JobError
from harken.jobs.queries import JobFilter
from harken.jobs.redrive import ByFilter, ByIds
from harken.jobs.state import JobState
from harken.jobs.store.schema import JOBS
from harken.jobs.upkeep import retention
from tests.jobs.conftest import ON_SQLITE

NOBODY = "0197c0de-0000-7000-8000-000000000001"
EVERY_FAILURE = JobFilter(states=[JobState.FAILED])


def asked(kind=ActionKind.RETRY_JOBS, owner="local", **fields):
    request = {"force": True}
    return Asked(kind=kind, owner=owner, peer="unix:", request=request, **fields)


def retry(jobs, wanted, *, force=False, owner="local", **fields):
    return jobs.write(
        lambda c: redrive.retry_jobs(
            c, wanted, asked(owner=owner, **fields), force=force, now=jobs.now
        )
    )


def by_ids(*listed):
    return ByIds(job_ids=tuple(job.job_id for job in listed))


def by_filter(jobs, where=EVERY_FAILURE, *, limit=100, after_id=None, before=None):
    return ByFilter(
        where=where, limit=limit, after_id=after_id, before_id=lowest_id(before or jobs.now)
    )


def failed(jobs, kind=ErrorKind.TRANSIENT, **fields):
    """A job that has failed, a while ago."""
    job = jobs.running(**fields)
    jobs.fail(job, JobError(kind=kind, reason="WHY", message="Because."))
    jobs.advance(seconds=1)
    return jobs.get(job)


def dismiss(jobs, *listed):
    by = asked(ActionKind.DISMISS_JOBS)
    return jobs.write(lambda c: redrive.dismiss_jobs(c, by_ids(*listed), by, now=jobs.now))


def dead_letters(jobs, **wanted):
    return jobs.listed(dead_letters_only=True, **wanted)


def test_a_retry_is_a_new_job_with_all_that_was_wanted_of_the_old_one(jobs):
    wanted = {
        "priority": 8,
        "labels": {"a": "b"},
        "queue": "embeddings",
        "features": ("embedding",),
    }
    old = failed(jobs, path="/music/old.wav", **wanted)
    (outcome,) = retry(jobs, by_ids(old)).outcomes
    (new, still) = jobs.listed()
    assert (outcome.job_id, outcome.new_job_id, outcome.refusal) == (old.job_id, new.job_id, None)
    assert (new.state, new.revision, new.attempt) == (JobState.QUEUED, 1, 0)
    assert (new.priority, new.labels, new.queue, new.features, new.source) == (
        old.priority,
        old.labels,
        old.queue,
        old.features,
        old.source,
    )
    assert (new.retry_of, new.error, new.worker, new.crashes, new.create_time) == (
        old.job_id,
        None,
        None,
        0,
        jobs.now,
    )
    assert still == old
    assert [row.after for row in jobs.log(new)] == [JobState.QUEUED]
    assert [outgoing.job_id for outgoing in jobs.due()] == [new.job_id]


def test_a_retry_of_a_batch_s_job_leaves_the_batch_as_it_ended(jobs):
    batch = jobs.submit_batch(jobs.new(), jobs.new())
    first, second = jobs.listed()
    jobs.fail(jobs.claim(first))
    jobs.cancel(second)
    before = jobs.batch(batch)
    jobs.advance(seconds=1)
    retry(jobs, by_ids(first, second))
    assert jobs.batch(batch) == before
    assert [job.batch_id for job in jobs.listed()][:2] == [None, None]


def test_each_job_that_cannot_be_retried_says_why_and_stops_none_of_the_others(jobs):
    good, waiting, running = failed(jobs), jobs.submit(), jobs.running()
    cancelling = jobs.running()
    jobs.cancel(cancelling)
    cancelled = jobs.cancel(jobs.submit())
    done = jobs.running()
    jobs.succeed(done)
    foreign = jobs.submit(owner="other")
    again = failed(jobs)
    (before,) = retry(jobs, by_ids(again)).outcomes
    ids = [good, waiting, running, cancelling, cancelled, done, foreign, again]
    action = retry(jobs, ByIds(job_ids=(*[job.job_id for job in ids], NOBODY)))
    assert [outcome.refusal for outcome in action.outcomes] == [
        None,
        Refusal.NOT_TERMINAL,
        Refusal.NOT_TERMINAL,
        Refusal.NOT_TERMINAL,
        None,
        None,
        Refusal.JOB_NOT_FOUND,
        Refusal.ALREADY_RETRIED,
        Refusal.JOB_NOT_FOUND,
    ]
    assert action.outcomes[7].new_job_id == before.new_job_id
    assert (action.done, action.refused) == (3, 6)
    assert len(jobs.listed()) == 11


def test_force_retries_again_and_the_newest_retry_is_named_afterwards(jobs):
    old = failed(jobs)
    retry(jobs, by_ids(old))
    jobs.advance(seconds=1)
    (forced,) = retry(jobs, by_ids(old), force=True).outcomes
    assert forced.refusal is None
    (refused,) = retry(jobs, by_ids(old)).outcomes
    assert (refused.refusal, refused.new_job_id) == (Refusal.ALREADY_RETRIED, forced.new_job_id)


def test_a_repeated_request_id_gives_the_same_answer_and_makes_no_job_even_forced(jobs):
    old = failed(jobs)
    request_id = str(uuid.uuid4())
    fields = {"request_id": request_id, "request_hash": "x", "force": True}
    first = retry(jobs, by_ids(old), **fields)
    jobs.advance(hours=1)
    assert retry(jobs, by_ids(old), **fields) == first
    assert len(jobs.listed()) == 2
    with pytest.raises(RequestIdReused, match=first.action_id):
        retry(jobs, by_ids(old), request_id=request_id, request_hash="y", force=True)


def test_calls_at_once_make_one_new_job(jobs):
    old = failed(jobs)
    actions = jobs.at_once(*[lambda: retry(jobs, by_ids(old)) for _ in range(5)])
    assert sorted(action.done for action in actions) == [0, 0, 0, 0, 1]
    assert len({action.outcomes[0].new_job_id for action in actions}) == 1


def test_filters_at_once_make_one_new_job_of_each(jobs):
    for _ in range(5):
        failed(jobs)
    actions = jobs.at_once(*[lambda: retry(jobs, by_filter(jobs)) for _ in range(4)])
    assert sum(action.done for action in actions) == 5
    assert len(jobs.listed()) == 10


def test_calls_at_once_with_one_request_id_get_one_answer(jobs):
    old = failed(jobs)
    fields = {"request_id": str(uuid.uuid4()), "request_hash": "x", "force": True}
    actions = jobs.at_once(*[lambda: retry(jobs, by_ids(old), **fields) for _ in range(5)])
    assert len({action.action_id for action in actions}) == 1
    assert len(jobs.listed()) == 2


def test_a_filter_finds_by_kind_state_time_labels_and_batch(jobs):
    began = jobs.now
    transient = failed(jobs, labels={"a": "b"})
    bad = failed(jobs, ErrorKind.INPUT, labels={"a": "b"})
    between = jobs.now
    late = failed(jobs, ErrorKind.TIMEOUT)
    jobs.submit_batch(jobs.new())
    (in_batch,) = jobs.listed(limit=1)
    cancelled = jobs.cancel(in_batch)
    jobs.submit()
    jobs.advance(seconds=1)

    def found(**where):
        wanted = by_filter(jobs, JobFilter(**{"states": [JobState.FAILED], **where}))
        preview = jobs.read(
            lambda c: redrive.preview_retry(c, wanted, owner="local", force=False, now=jobs.now)
        )
        return [outcome.job_id for outcome in preview[0]]

    ids = {"transient": transient, "bad": bad, "late": late, "cancelled": cancelled}
    ids = {name: job.job_id for name, job in ids.items()}
    assert found() == [ids["transient"], ids["bad"], ids["late"]]
    assert found(error_kinds=[ErrorKind.TIMEOUT]) == [ids["late"]]
    assert found(not_error_kinds=[ErrorKind.INPUT]) == [ids["transient"], ids["late"]]
    assert found(labels={"a": "b"}) == [ids["transient"], ids["bad"]]
    assert found(ended_before=between) == [ids["transient"], ids["bad"]]
    assert found(ended_after=began + timedelta(seconds=1), ended_before=between) == [ids["bad"]]
    assert found(states=[JobState.CANCELLED], not_error_kinds=[ErrorKind.INPUT]) == [
        ids["cancelled"]
    ]
    assert found(states=[JobState.CANCELLED], batch_id=in_batch.batch_id) == [ids["cancelled"]]
    assert found(batch_id=in_batch.batch_id) == []


def test_the_pages_of_a_filter_make_one_new_job_of_each_in_order(jobs):
    old = [failed(jobs, path=f"{number}.wav") for number in range(5)]
    before, after_id, pages = jobs.now, None, []
    while True:
        page = retry(jobs, by_filter(jobs, limit=2, after_id=after_id, before=before))
        pages.append([outcome.job_id for outcome in page.outcomes])
        after_id = page.page_end
        jobs.advance(seconds=1)
        if after_id is None:
            break
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [job_id for page in pages for job_id in page] == [job.job_id for job in old]
    new = [job for job in reversed(jobs.listed()) if job.retry_of]
    assert [job.source.value for job in new] == [job.source.value for job in old]


@pytest.mark.parametrize("force", [False, True])
def test_what_earlier_pages_made_is_not_retried_by_later_ones_when_it_fails_at_once(jobs, force):
    for _ in range(3):
        failed(jobs)
    before, after_id, made = jobs.now, None, 0
    while True:
        wanted = by_filter(jobs, limit=1, after_id=after_id, before=before)
        page = retry(jobs, wanted, force=force)
        made += page.done
        assert made <= 3
        for outcome in page.outcomes:
            (new,) = [job for job in jobs.listed() if job.job_id == outcome.new_job_id]
            jobs.fail(jobs.claim(new), jobs.transient_error())
        if (after_id := page.page_end) is None:
            break
    assert made == 3


def test_a_page_repeated_after_a_lost_answer_makes_no_duplicates(jobs):
    for _ in range(3):
        failed(jobs)
    assert retry(jobs, by_filter(jobs, limit=2)).done == 2
    assert retry(jobs, by_filter(jobs, limit=2)).done == 1
    assert retry(jobs, by_filter(jobs, limit=2)).outcomes == ()
    assert len(jobs.listed()) == 6


def test_a_preview_tells_what_would_be_done_and_does_nothing(jobs):
    old, waiting = failed(jobs), jobs.submit()
    outcomes, page_end = jobs.read(
        lambda c: redrive.preview_retry(
            c, by_ids(old, waiting), owner="local", force=False, now=jobs.now
        )
    )
    assert outcomes == (
        Outcome(job_id=old.job_id),
        Outcome(job_id=waiting.job_id, refusal=Refusal.NOT_TERMINAL),
    )
    assert page_end is None
    assert len(jobs.listed()) == 2
    assert jobs.read(lambda c: audit.list_actions(c, owner="local", limit=9)) == ()


def test_dead_letters_are_failures_not_for_the_file_s_sake_that_nobody_dealt_with(jobs):
    letters = [failed(jobs, kind) for kind in ErrorKind if kind is not ErrorKind.INPUT]
    failed(jobs, ErrorKind.INPUT)
    jobs.cancel(jobs.submit())
    jobs.running()
    assert dead_letters(jobs) == letters[::-1]
    retried, dismissed, *left = letters
    retry(jobs, by_ids(retried))
    dismiss(jobs, dismissed)
    assert dead_letters(jobs) == left[::-1]
    assert dead_letters(jobs, error_kinds=[left[0].error.kind]) == [left[0]]


def test_a_retry_that_fails_again_is_the_dead_letter_in_its_place(jobs):
    (outcome,) = retry(jobs, by_ids(failed(jobs))).outcomes
    assert dead_letters(jobs) == []
    (new,) = [job for job in jobs.listed() if job.job_id == outcome.new_job_id]
    jobs.fail(jobs.claim(new), jobs.transient_error())
    assert [job.job_id for job in dead_letters(jobs)] == [new.job_id]


def test_what_cannot_be_dismissed_says_why(jobs):
    good, waiting = failed(jobs), jobs.submit()
    dismiss(jobs, good)
    action = jobs.write(
        lambda c: redrive.dismiss_jobs(
            c,
            ByIds(job_ids=(good.job_id, waiting.job_id, NOBODY)),
            asked(ActionKind.DISMISS_JOBS),
            now=jobs.now,
        )
    )
    assert [outcome.refusal for outcome in action.outcomes] == [
        Refusal.ALREADY_DISMISSED,
        Refusal.NOT_FAILED,
        Refusal.JOB_NOT_FOUND,
    ]


def test_dismissing_changes_nothing_about_the_job(jobs):
    job = failed(jobs)
    dismiss(jobs, job)
    assert jobs.get(job) == job
    assert len(jobs.log(job)) == job.revision


def test_a_dismissed_job_is_retried_by_its_id_and_by_a_filter_only_with_force(jobs):
    job = failed(jobs)
    dismiss(jobs, job)
    assert retry(jobs, by_filter(jobs)).outcomes == ()
    assert retry(jobs, by_filter(jobs), force=True).done == 1
    other = failed(jobs)
    dismiss(jobs, other)
    assert retry(jobs, by_ids(other)).done == 1


def test_calls_at_once_dismiss_once(jobs):
    job = failed(jobs)
    actions = jobs.at_once(*[lambda: dismiss(jobs, job) for _ in range(4)])
    assert sorted(action.done for action in actions) == [0, 0, 0, 1]


def test_what_was_done_is_recorded_with_who_and_with_which_jobs(jobs):
    first = retry(jobs, by_ids(failed(jobs)))
    jobs.advance(seconds=1)
    second = dismiss(jobs, failed(jobs))
    newest, oldest = jobs.read(lambda c: audit.list_actions(c, owner="local", limit=9))
    assert (newest.action_id, newest.kind) == (second.action_id, ActionKind.DISMISS_JOBS)
    assert (oldest.owner, oldest.peer, oldest.request) == ("local", "unix:", {"force": True})
    assert (oldest.done, oldest.refused, oldest.outcomes) == (1, 0, ())
    assert jobs.read(lambda c: audit.get_action(c, first.action_id, owner="local")) == first
    assert jobs.read(
        lambda c: audit.list_actions(c, owner="local", limit=9, before_id=newest.action_id)
    ) == (oldest,)


def test_actions_of_another_owner_are_not_found(jobs):
    action = retry(jobs, by_ids(failed(jobs)))
    assert jobs.read(lambda c: audit.list_actions(c, owner="other", limit=9)) == ()
    with pytest.raises(ActionNotFound, match=action.action_id):
        jobs.read(lambda c: audit.get_action(c, action.action_id, owner="other"))


def test_the_cancel_of_a_batch_is_recorded_with_the_jobs_that_were_asked_to_stop(jobs):
    batch = jobs.submit_batch(jobs.new(), jobs.new(), jobs.new())
    waiting, running, done = jobs.listed()
    jobs.claim(running)
    jobs.succeed(jobs.claim(done))
    by = asked(ActionKind.CANCEL_BATCH)
    jobs.write(
        lambda c: cancellation.cancel_batch(
            c, batch.batch_id, owner="local", now=jobs.now, asked=by
        )
    )
    (listed,) = jobs.read(lambda c: audit.list_actions(c, owner="local", limit=9))
    action = jobs.read(lambda c: audit.get_action(c, listed.action_id, owner="local"))
    assert (action.kind, action.done, action.refused) == (ActionKind.CANCEL_BATCH, 2, 0)
    assert {outcome.job_id for outcome in action.outcomes} == {waiting.job_id, running.job_id}


def test_the_cancel_of_a_job_is_recorded_once_and_only_where_it_changes_something(jobs):
    waiting, done = jobs.submit(), jobs.running()
    jobs.succeed(done)
    by = asked(ActionKind.CANCEL_JOB)
    for job in (waiting, waiting, done):
        jobs.write(
            lambda c, job=job: cancellation.cancel_job(
                c, job.job_id, owner="local", now=jobs.now, asked=by
            )
        )
    (listed,) = jobs.read(lambda c: audit.list_actions(c, owner="local", limit=9))
    action = jobs.read(lambda c: audit.get_action(c, listed.action_id, owner="local"))
    assert (action.kind, action.done, action.refused) == (ActionKind.CANCEL_JOB, 1, 0)
    assert [outcome.job_id for outcome in action.outcomes] == [waiting.job_id]


def test_what_is_rolled_back_is_not_recorded(jobs):
    old = failed(jobs)

    def failing(connection):
        redrive.retry_jobs(connection, by_ids(old), asked(), force=False, now=jobs.now)
        raise LookupError

    with pytest.raises(LookupError):
        jobs.write(failing)
    assert jobs.read(lambda c: audit.list_actions(c, owner="local", limit=9)) == ()
    assert len(jobs.listed()) == 1


def test_records_are_kept_for_a_year_and_dismissals_as_long_as_their_jobs(jobs):
    job = failed(jobs)
    dismiss(jobs, job)
    jobs.advance(days=31)
    moment = retention.moment_of(jobs.now, 30)
    assert jobs.write(lambda c: retention.delete_ended_before(c, moment)) == 1
    jobs.advance(days=365 - 31)
    assert jobs.write(lambda c: retention.delete_old_actions(c, jobs.now)) == 0
    jobs.advance(seconds=1)
    assert jobs.write(lambda c: retention.delete_old_actions(c, jobs.now)) == 1


@ON_SQLITE  # PostgreSQL's planner wants statistics before it uses an index
def test_the_dead_letters_of_many_jobs_are_found_by_an_index(jobs):

    def plan(connection):
        wanted = queries.conditions(connection, JobFilter(dead_letters_only=True))
        query = select(JOBS.c.job_id).where(JOBS.c.owner == "local", *wanted)
        query = query.order_by(JOBS.c.job_id.desc())
        compiled = query.compile(connection, compile_kwargs={"render_postcompile": True})
        rows = connection.exec_driver_sql(
            f"EXPLAIN QUERY PLAN {compiled}", tuple(compiled.params.values())
        )
        return " ".join(row.detail for row in rows)

    found = jobs.read(plan)
    assert "harken_jobs_failed" in found
    assert "harken_jobs_retry_of" in found
    assert "TEMP B-TREE" not in found


def test_a_retry_goes_on_in_the_trace_of_the_call_that_asked_for_it(jobs):
    trace_parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    old = jobs.running(trace_parent="00-11111111111111111111111111111111-2222222222222222-01")
    jobs.fail(old)
    jobs.write(
        lambda c: redrive.retry_jobs(
            c, by_ids(old), asked(), force=False, now=jobs.now, trace_parent=trace_parent
        )
    )
    assert [out.trace_parent for out in jobs.due()] == [trace_parent]
