"""What goes to the broker next, on both databases: with several owners, and floods of waiting jobs."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import select

from harken.jobs.queueing import outbox, relay, workers
from harken.jobs.queueing.window import WITHOUT_WORKERS
from harken.jobs.queueing.workers import LOST_AFTER, Heartbeat
from harken.jobs.store.schema import JOBS

QUEUE = "audio_processing"
FLOOD = 10_000


@pytest.fixture
def beat(jobs):
    """A worker shows itself."""

    def show(name="worker-1@host", *, queues=(QUEUE,), concurrency=4, stopping=False):
        heartbeat = Heartbeat(
            name=name,
            hostname="host",
            pid=1,
            version="0",
            queues=queues,
            concurrency=concurrency,
            jobs_done=0,
            stopping=stopping,
            start_time=jobs.now,
        )
        jobs.write(lambda c: workers.beat(c, heartbeat, jobs.now))

    return show


@pytest.fixture
def publish(jobs):
    """The relay looks, and publishes what it finds; gives the ids in order."""

    def look(**how):
        found = jobs.read(lambda c: relay.next_jobs(c, jobs.now, **how))
        jobs.write(lambda c: outbox.mark_published(c, found.jobs, jobs.now))
        return [out.job_id for out in found.jobs]

    return look


@dataclass
class Named:
    """A job of which only the id matters."""

    job_id: str


def owner_of(jobs, job_id):
    """Whose job it is."""
    query = select(JOBS.c.owner).where(JOBS.c.job_id == job_id)
    return jobs.read(lambda c: c.execute(query).scalar_one())


def submitted(jobs, number, *, owner="local", **fields):
    """The ids of so many new jobs, in the order of their submission."""
    jobs.advance(milliseconds=1)
    batch = jobs.submit_batch(*(jobs.new(**fields) for _ in range(number)), owner=owner)
    query = select(JOBS.c.job_id).where(JOBS.c.batch_id == batch.batch_id).order_by(JOBS.c.job_id)
    ids = list(jobs.read(lambda c: c.execute(query).scalars().all()))
    assert batch.total == number
    return ids


def test_an_urgent_job_behind_ten_thousand_is_next(jobs, beat, publish):
    beat()
    submitted(jobs, FLOOD)
    publish()
    urgent = jobs.submit(priority=9)
    assert publish() == [urgent.job_id]


def test_the_flood_is_a_small_window_in_the_broker(jobs, beat, publish):
    beat(concurrency=4)
    submitted(jobs, FLOOD)
    assert len(publish()) == 8
    assert publish() == []


def test_a_claim_makes_room_for_one(jobs, beat, publish):
    beat(concurrency=2)
    waiting = submitted(jobs, 10)
    first = publish()
    assert first == waiting[:4]
    jobs.claim(Named(first[0]))
    # The slot is taken up and so no longer free, but the message is used up too.
    assert publish() == []
    jobs.claim(Named(first[1]))
    assert publish() == []
    jobs.claim(Named(first[2]))
    assert publish() == waiting[4:5]


def test_one_who_floods_does_not_delay_another_owners_single_job(jobs, beat, publish):
    beat(concurrency=4)
    submitted(jobs, FLOOD, owner="flooder")
    in_broker = publish()
    single = jobs.submit(owner="single")
    for job_id in in_broker[:5]:
        jobs.claim(Named(job_id))
    assert publish()[0] == single.job_id


def test_owners_share_by_weight(jobs, publish):
    submitted(jobs, 100, owner="ann")
    submitted(jobs, 100, owner="bob")
    ids = publish(weights={"ann": 3.0}, without_workers=40)
    assert Counter(owner_of(jobs, job_id) for job_id in ids) == {"ann": 30, "bob": 10}


def test_an_owner_whose_jobs_run_waits_for_one_with_none(jobs, publish):
    for _ in range(3):
        jobs.claim(jobs.submit(owner="busy"))
    waits = jobs.submit(owner="busy")
    jobs.advance(seconds=1)
    news = [jobs.submit(owner="new") for _ in range(3)]
    ids = publish(without_workers=4)
    assert set(ids[:3]) == {job.job_id for job in news}
    assert ids[3] == waits.job_id


def test_urgency_goes_before_fairness(jobs, publish):
    urgent = submitted(jobs, 20, owner="busy", priority=6)
    submitted(jobs, 5, owner="new", priority=5)
    assert publish() == urgent[:WITHOUT_WORKERS]


def test_a_batch_goes_in_the_order_of_its_submission(jobs, publish):
    waiting = submitted(jobs, 30)
    assert publish(without_workers=30) == waiting


def test_messages_of_lower_priority_do_not_count_against_the_window(jobs, publish):
    submitted(jobs, 50, priority=3)
    assert len(publish()) == WITHOUT_WORKERS
    urgent = submitted(jobs, 50, priority=7)
    assert publish() == urgent[:WITHOUT_WORKERS]
    assert publish() == []


def test_each_queue_has_a_window_of_its_own(jobs, publish):
    submitted(jobs, 50, queue="audio_processing")
    submitted(jobs, 50, queue="embeddings")
    assert len(publish()) == 2 * WITHOUT_WORKERS


def test_a_fast_queue_gets_a_wider_window(jobs, beat, publish):
    beat(concurrency=2)
    submitted(jobs, 300)
    assert len(publish(paces={QUEUE: 200.0})) == 2 + 2 + 100


def test_workers_that_stop_or_are_lost_have_no_slots(jobs, beat, publish):
    beat("one", concurrency=100, stopping=True)
    beat("two", concurrency=100)
    jobs.advance(seconds=LOST_AFTER.total_seconds() + 1)
    beat("three", concurrency=3)
    submitted(jobs, 50)
    assert len(publish()) == 6


def test_a_worker_of_several_queues_counts_its_busy_slots_for_each(jobs, beat, publish):
    beat("worker-1@host", queues=(QUEUE, "embeddings"), concurrency=4)
    for _ in range(3):
        jobs.running(queue="embeddings")
    submitted(jobs, 50)
    assert len(publish()) == 1 + 4


def test_of_more_owners_than_a_look_takes_in_each_has_its_turn(jobs):
    """One job each, beside one who floods: the looks go round, and nobody is passed over."""
    owners = [f"owner-{number:03}" for number in range(relay.MOST_OWNERS + 50)]
    for owner in owners:
        jobs.submit(owner=owner)
    submitted(jobs, 1_000, owner="zz-flooder")
    turns, served = {}, Counter()
    for _ in range(4):
        found = jobs.read(
            lambda c, turns=turns: relay.next_jobs(c, jobs.now, turns=turns, without_workers=10**6)
        )
        jobs.write(lambda c, found=found: outbox.mark_published(c, found.jobs, jobs.now))
        turns = found.turns
        served.update(owner_of(jobs, out.job_id) for out in found.jobs)
    assert all(served[owner] == 1 for owner in owners)


def test_a_limit_leaves_the_rest_for_the_next_look(jobs, publish):
    waiting = submitted(jobs, 30)
    assert publish(limit=20, without_workers=30) == waiting[:20]
    assert publish(limit=20, without_workers=30) == waiting[20:]


def test_what_is_delayed_or_cancelled_or_runs_is_not_chosen(jobs, publish):
    jobs.retry(jobs.running())
    jobs.running()
    jobs.cancel(jobs.submit())
    assert publish() == []


def test_a_look_that_finds_nothing_waiting_counts_nothing(jobs):
    jobs.running()
    assert jobs.read(lambda c: relay.next_jobs(c, jobs.now)).published is None


def test_a_look_tells_what_no_worker_has_taken(jobs, publish):
    submitted(jobs, 12)
    ids = publish()
    jobs.claim(Named(ids[0]))
    found = jobs.read(lambda c: relay.next_jobs(c, jobs.now))
    assert found.published == {QUEUE: WITHOUT_WORKERS - 1}


def test_the_clock_of_heartbeats_may_be_a_little_ahead(jobs, beat, publish):
    jobs.advance(seconds=1)
    beat(concurrency=2)
    jobs.now -= timedelta(seconds=1)
    submitted(jobs, 10)
    assert len(publish()) == 4
