"""What an owner may have: jobs that wait are counted without counting each time, those that run by the relay."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, text

from harken.jobs import redrive, submission
from harken.jobs.action import ActionKind, Asked
from harken.jobs.errors import QuotaExceeded
from harken.jobs.job import NewBatch
from harken.jobs.owners.quotas import NO_QUOTA, Bucket, Quota, check_stored
from harken.jobs.queueing import outbox, relay
from harken.jobs.queueing.waiting_room import COUNTED_EVERY_S, HOLDS_FOR_S, WaitingRoom
from harken.jobs.redrive import ByIds
from harken.jobs.submission import Submission

QUEUE = "audio_processing"


class Clock:
    """A monotonic clock that a test sets."""

    now_s = 100.0


@pytest.fixture
def clock():
    """The time of the room."""
    return Clock()


def room_of(most, clock, **owners):
    return WaitingRoom(Quota(everyone=most, owners=owners), lambda: clock.now_s)


def submit(jobs, room, number=1, owner="ann", **fields):
    """The outcomes of submits that stand side by side."""
    wanted = [Submission(new=jobs.new(**fields), owner=owner) for _ in range(number)]
    return jobs.write(lambda c: submission.submit_jobs(c, wanted, now=jobs.now, room=room))


def accepted(outcomes):
    return sum(not isinstance(outcome, QuotaExceeded) for outcome in outcomes)


@pytest.mark.parametrize("side_by_side", [1, 3, 50])
def test_as_many_jobs_wait_as_may_and_no_more(jobs, clock, side_by_side):
    room = room_of(20, clock)
    total = sum(accepted(submit(jobs, room, side_by_side)) for _ in range(60 // side_by_side))
    assert total == 20
    assert len(jobs.write(waiting)) == 20


def waiting(connection):
    query = "SELECT job_id FROM harken_jobs WHERE state = 'QUEUED' AND owner = 'ann'"
    return connection.execute(text(query)).all()


def test_who_is_refused_is_told_what_and_when(jobs, clock):
    room = room_of(1, clock)
    submit(jobs, room)
    (refused,) = submit(jobs, room)
    assert (refused.owner, refused.quota) == ("ann", "queued_jobs")
    assert refused.retry_after.total_seconds() > 0
    assert "may have, 1" in str(refused)


def test_owners_do_not_take_each_other_s_room(jobs, clock):
    room = room_of(2, clock, bob=5, eve=None)
    outcomes = {owner: accepted(submit(jobs, room, 9, owner)) for owner in ("ann", "bob", "eve")}
    assert outcomes == {"ann": 2, "bob": 5, "eve": 9}


def test_room_that_comes_free_is_found_soon(jobs, clock):
    room = room_of(1, clock)
    (job,) = submit(jobs, room)
    assert accepted(submit(jobs, room)) == 0
    jobs.claim(job)
    clock.now_s += COUNTED_EVERY_S
    assert accepted(submit(jobs, room)) == 1


def test_a_job_that_was_made_before_needs_no_room(jobs, clock):
    room = room_of(1, clock)
    request_id = "0197c0de-0000-7000-8000-00000000000a"
    (made,) = submit(jobs, room, request_id=request_id)
    (again,) = submit(jobs, room, request_id=request_id)
    assert again == made


def test_a_batch_is_let_in_as_a_whole_or_not_at_all(jobs, clock):
    room = room_of(5, clock)

    def batch(number):
        new = NewBatch(items=tuple(enumerate(jobs.new() for _ in range(number))))
        return jobs.write(
            lambda c: submission.submit_batch(c, new, owner="ann", now=jobs.now, room=room)
        )

    assert batch(3).total == 3
    with pytest.raises(QuotaExceeded):
        batch(3)
    assert batch(2).total == 2
    with pytest.raises(QuotaExceeded, match="6 at once are too many") as never:
        batch(6)
    assert never.value.retry_after is None
    assert len(jobs.write(waiting)) == 5


def test_retries_need_room_too(jobs, clock):
    room = room_of(1, clock)
    (job,) = submit(jobs, room)
    running = jobs.claim(job)
    jobs.fail(running)
    clock.now_s += HOLDS_FOR_S + 0.1
    submit(jobs, room)
    asked = Asked(kind=ActionKind.RETRY_JOBS, owner="ann", peer="", request={})
    wanted = ByIds(job_ids=(job.job_id,))
    with pytest.raises(QuotaExceeded):
        jobs.write(
            lambda c: redrive.retry_jobs(c, wanted, asked, force=False, now=jobs.now, room=room)
        )


def test_counting_grows_with_the_times_the_limit_is_met_and_not_with_the_submits(jobs, clock):
    """A quota of a thousand is counted some ten times on the way to it, where one alone counts."""
    if jobs.database.dialect == "postgresql":
        pytest.skip("of several servers each counts for each transaction")
    room = room_of(1_000, clock)
    counted = []

    def note(_connection, _cursor, statement, *_):
        if "count(" in statement and "published_at IS NOT NULL" in statement:
            counted.append(statement)

    event.listen(jobs.database.engine, "before_cursor_execute", note)
    total = sum(accepted(submit(jobs, room, 25)) for _ in range(60))
    event.remove(jobs.database.engine, "before_cursor_execute", note)
    assert total == 1_000
    assert len(counted) <= 10


def test_of_many_servers_that_submit_at_once_no_more_is_let_in_than_may(jobs, clock):
    if jobs.database.dialect == "sqlite":
        pytest.skip("with SQLite there is one server")
    begin = threading.Barrier(4)

    def submit_some(_):
        room = room_of(50, clock, bob=20)
        begin.wait()
        let_in = Counter()
        for number in range(15):
            owners = ["ann", "bob"] if number % 2 else ["bob", "ann"]
            wanted = [Submission(new=jobs.new(), owner=owner) for owner in owners * 2]
            with jobs.database.write() as connection:
                outcomes = submission.submit_jobs(connection, wanted, now=jobs.now, room=room)
            for one, outcome in zip(wanted, outcomes, strict=True):
                let_in[one.owner] += not isinstance(outcome, QuotaExceeded)
        return let_in

    with ThreadPoolExecutor(4) as servers:
        let_in = sum(servers.map(submit_some, range(4)), Counter())
    assert let_in == {"ann": 50, "bob": 20}


def test_what_waits_is_counted_by_the_relay_s_indexes(jobs, clock):
    """However many jobs of the owner have ended, and though PostgreSQL believes that they still wait."""
    jobs.submit_batch(*[jobs.new() for _ in range(5_000)], owner="ann")
    if jobs.database.dialect == "postgresql":
        with jobs.database.write() as connection:
            connection.execute(text("ANALYZE harken_jobs"))
    with jobs.database.write() as connection:
        connection.execute(text("UPDATE harken_jobs SET state = 'CANCELLED'"))
    jobs.submit_batch(*[jobs.new() for _ in range(200)], owner="bob")
    room = room_of(10, clock)
    asked = []

    def note(_connection, _cursor, statement, parameters, *_):
        if "count(" in statement:
            asked.append((statement, parameters))

    jobs.submit(owner="ann")
    event.listen(jobs.database.engine, "before_cursor_execute", note)
    submit(jobs, room)
    event.remove(jobs.database.engine, "before_cursor_execute", note)
    sqlite = jobs.database.dialect == "sqlite"
    with jobs.database.read() as connection:
        if not sqlite:
            connection.execute(relay._FOLLOW_INDEXES)
        explain = "EXPLAIN QUERY PLAN" if sqlite else "EXPLAIN"
        plans = [
            "\n".join(
                str(tuple(row)) for row in connection.exec_driver_sql(f"{explain} {one}", given)
            )
            for one, given in asked
        ]
    published, of_level = plans
    assert "harken_jobs_published" in published
    assert "harken_jobs_outbox" in of_level


def publish(jobs, running, slots=50):
    found = jobs.read(
        lambda c: relay.next_jobs(c, jobs.now, running=running, without_workers=slots)
    )
    jobs.write(lambda c: outbox.mark_published(c, found.jobs, jobs.now))
    return [out.job_id for out in found.jobs]


def test_no_more_jobs_of_an_owner_go_to_the_workers_than_may_run(jobs):
    owner = {jobs.submit(owner=name).job_id: name for name in ["ann"] * 9 + ["bob"] * 9}
    quota = Quota(everyone=3, owners={"bob": None})

    sent = publish(jobs, quota)

    assert Counter(owner[job_id] for job_id in sent) == {"ann": 3, "bob": 9}
    assert publish(jobs, quota) == []
    first = next(job_id for job_id in sent if owner[job_id] == "ann")
    running = jobs.claim(Named(first))
    assert publish(jobs, quota) == []  # it runs, which takes its place as before
    jobs.succeed(running)
    (next_one,) = publish(jobs, quota)
    assert owner[next_one] == "ann"


def test_an_owner_who_has_enough_running_holds_up_nobody_of_lower_priority(jobs):
    for _ in range(9):
        jobs.submit(owner="ann", priority=9)
    low = jobs.submit(owner="bob", priority=0)
    sent = publish(jobs, Quota(everyone=2), slots=6)
    assert len(sent) == 3
    assert low.job_id in sent


def test_the_quota_holds_over_all_queues_and_priorities(jobs):
    for priority in (1, 5, 9):
        for queue in (QUEUE, "default"):
            jobs.submit(owner="ann", priority=priority, queue=queue)
    assert len(publish(jobs, Quota(everyone=4))) == 4
    assert publish(jobs, Quota(everyone=4)) == []


def test_none_may_run_of_an_owner_whose_quota_is_nothing(jobs):
    jobs.submit(owner="ann")
    assert publish(jobs, Quota(everyone=0)) == []
    assert len(publish(jobs, NO_QUOTA)) == 1


def test_a_message_that_comes_back_by_itself_does_not_pass_the_quota(jobs):
    """As of a job whose worker died: it waits again, others took its place, and its old message is delivered."""
    quota = Quota(everyone=2, owners={"bob": None})
    came_back, *others = [jobs.submit(owner="ann") for _ in range(3)]
    running = [jobs.claim(job, running=quota) for job in others]
    assert all(running)

    assert jobs.claim(came_back, running=quota) is None
    assert jobs.claim(jobs.submit(owner="bob"), running=quota)
    assert publish(jobs, quota) == []
    jobs.succeed(running[0])
    assert publish(jobs, quota) == [came_back.job_id]
    assert jobs.claim(came_back, running=quota)


def test_a_job_that_was_published_and_met_the_quota_at_its_claim_is_published_again(jobs):
    quota = Quota(everyone=1)
    first, second = jobs.submit(owner="ann"), jobs.submit(owner="ann")
    assert len(publish(jobs, NO_QUOTA)) == 2  # as with a server that has another quota
    running = jobs.claim(first, running=quota)
    assert jobs.claim(second, running=quota) is None
    jobs.succeed(running)
    assert publish(jobs, quota) == [second.job_id]


def test_a_claim_whose_commit_got_no_answer_is_known_again_under_a_quota(jobs):
    quota = Quota(everyone=1)
    job = jobs.submit(owner="ann")
    claimed = jobs.claim(job, pid=7, running=quota)
    again = jobs.claim(job, pid=7, running=quota, tried=[jobs.now])
    assert again == claimed


def test_of_workers_that_claim_at_once_no_more_have_a_job_of_the_owner_than_may(jobs):
    waiting_jobs = [jobs.submit(owner="ann") for _ in range(12)]
    quota = Quota(everyone=3)
    with ThreadPoolExecutor(4) as workers:
        claims = list(workers.map(lambda job: jobs.claim(job, running=quota), waiting_jobs))
    assert sum(claim is not None for claim in claims) == 3


class Named:
    """A job of which only the id matters."""

    def __init__(self, job_id):
        self.job_id = job_id


@given(
    rate=st.floats(0.5, 1000),
    pauses=st.lists(st.floats(0, 3), min_size=1, max_size=200),
)
def test_whatever_the_pauses_no_more_get_through_than_the_rate_and_one_second_s_worth(rate, pauses):
    bucket, now_s, passed = Bucket.full(rate, 0.0), 0.0, 0
    for pause in pauses:
        now_s += pause
        bucket, wait = bucket.take(now_s)
        passed += wait is None
    assert passed <= now_s * rate + max(rate, 1) + 1e-6


@given(rate=st.floats(0.5, 1000), asked=st.integers(1, 50))
def test_who_waits_as_told_gets_through(rate, asked):
    bucket, now_s = Bucket.full(rate, 0.0), 0.0
    for _ in range(asked):
        bucket, wait = bucket.take(now_s)
        if wait is not None:
            now_s += wait.total_seconds() + 1e-5
            bucket, wait = bucket.take(now_s)
            assert wait is None


def test_bytes_are_added_up_to_the_quota_and_not_beyond():
    quota = Quota(everyone=100, owners={"bob": None})
    check_stored(quota, "ann", stored=90, adding=10)
    check_stored(quota, "bob", stored=10**15, adding=10**15)
    with pytest.raises(QuotaExceeded, match="90 bytes of the 100") as refused:
        check_stored(quota, "ann", stored=90, adding=11)
    assert refused.value.quota == "stored_bytes"


def test_what_is_left_is_never_less_than_nothing():
    assert Quota(everyone=5).left("ann", 7) == 0
    assert NO_QUOTA.left("ann", 7) == inf
    assert not NO_QUOTA
    assert Quota(everyone=0)
