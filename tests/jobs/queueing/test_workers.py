from dataclasses import replace
from datetime import timedelta

import pytest

from harken.jobs.queueing import workers
from harken.jobs.queueing.workers import Heartbeat, WorkerStatus


@pytest.fixture
def beat(jobs):
    """A worker beats now."""

    def beat_now(name="worker-1@host", **told):
        heartbeat = Heartbeat(
            **{
                "name": name,
                "hostname": "host",
                "pid": 4711,
                "version": "0.1.0",
                "queues": ("audio_processing", "default"),
                "concurrency": 2,
                "jobs_done": 3,
                "stopping": False,
                "start_time": jobs.now,
                **told,
            }
        )
        jobs.write(lambda c: workers.beat(c, heartbeat, jobs.now))
        return heartbeat

    return beat_now


def listed(jobs):
    return jobs.read(lambda c: workers.list_workers(c, jobs.now))


def queues(jobs, *names):
    found = jobs.read(lambda c: workers.list_queues(c, names, jobs.now))
    return {queue.name: queue for queue in found}


def test_a_worker_is_shown_as_it_last_told(jobs, beat):
    told = beat()
    jobs.advance(seconds=5)
    told = beat(start_time=told.start_time, jobs_done=4)
    jobs.advance(seconds=2)
    (worker,) = listed(jobs)
    assert worker.heartbeat == replace(told, jobs_done=4)
    assert (worker.age, worker.status) == (timedelta(seconds=2), WorkerStatus.ONLINE)
    assert worker.heartbeat_time == jobs.now - timedelta(seconds=2)
    assert worker.running == ()


@pytest.mark.parametrize(
    ("age", "stopping", "status"),
    [
        (0, False, WorkerStatus.ONLINE),
        (15, False, WorkerStatus.ONLINE),
        (15.001, False, WorkerStatus.LOST),
        (0, True, WorkerStatus.STOPPING),
        (15.001, True, WorkerStatus.LOST),
    ],
)
def test_a_workers_status_follows_from_the_age_of_its_heartbeat(age, stopping, status):
    assert workers.status_of(timedelta(seconds=age), stopping) is status


def test_a_worker_shows_the_jobs_it_is_on(jobs, beat):
    beat()
    first = jobs.running()
    jobs.advance(seconds=1)
    second = jobs.running()
    jobs.cancel(second)
    jobs.running("worker-2@host")
    jobs.succeed(jobs.running())
    (worker,) = listed(jobs)
    assert [job.job_id for job in worker.running] == [first.job_id, second.job_id]
    assert (worker.running[0].attempt, worker.running[0].start_time) == (1, first.start_time)


def test_workers_are_listed_by_name(jobs, beat):
    for name in ("b@host", "a@host", "c@host"):
        beat(name)
    assert [worker.heartbeat.name for worker in listed(jobs)] == ["a@host", "b@host", "c@host"]


def test_a_worker_that_stopped_in_order_is_no_longer_listed(jobs, beat):
    beat("a@host")
    beat("b@host")
    jobs.write(lambda c: workers.leave(c, "a@host"))
    assert [worker.heartbeat.name for worker in listed(jobs)] == ["b@host"]


def test_a_lost_worker_is_shown_for_a_day(jobs, beat):
    beat()
    jobs.advance(hours=23)
    assert listed(jobs)[0].status is WorkerStatus.LOST
    jobs.advance(hours=1, seconds=1)
    assert listed(jobs) == ()


def test_a_clock_that_is_behind_makes_no_negative_age(jobs, beat):
    beat()
    jobs.advance(seconds=-3)
    assert listed(jobs)[0].age == timedelta(0)


def test_a_queue_counts_what_waits_and_what_runs(jobs):
    jobs.submit()
    jobs.advance(seconds=7)
    jobs.submit()
    jobs.running()
    jobs.cancel(jobs.running())
    jobs.succeed(jobs.running())
    queue = queues(jobs)["audio_processing"]
    assert (queue.queued, queue.running) == (2, 2)
    assert queue.oldest_age == timedelta(seconds=7)


def test_an_empty_queue_has_no_oldest_age(jobs):
    queue = queues(jobs, "embeddings")["embeddings"]
    assert (queue.queued, queue.running, queue.oldest_age, queue.workers) == (0, 0, None, 0)


def test_queues_that_only_jobs_or_workers_know_are_listed_too(jobs, beat):
    jobs.submit(queue="of-a-job")
    beat(queues=("of-a-worker",))
    assert list(queues(jobs, "default")) == ["default", "of-a-job", "of-a-worker"]


def test_a_queue_counts_the_workers_that_take_from_it_now(jobs, beat):
    beat("lost@host")
    jobs.advance(seconds=20)
    beat("a@host")
    beat("b@host", queues=("default",))
    beat("c@host", stopping=True)
    found = queues(jobs)
    assert found["default"].workers == 2
    assert found["audio_processing"].workers == 1
