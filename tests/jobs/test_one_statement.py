"""Claim and success as one statement each do what they do in a transaction, and take their turn in the log as late."""

import threading
from dataclasses import replace

import pytest

from harken.jobs import change, execution, log
from harken.jobs.state import JobState
from harken.jobs.store.database import Database
from tests.conftest import eventually

RESULT = {"rhythm": {"tempo_bpm": 120.0, "beats_s": [0.5, 1.0]}}
KEY = "5" * 64


@pytest.fixture
def in_a_transaction(jobs):
    """Runs work as `Jobs.statement` does, with a transaction around it."""
    return jobs.write


def lived(jobs, carry_out, *, result, content_key, cancelled):
    """The job at each step, its result and its log, without what is another job's by nature."""
    job = jobs.submit("a.wav", labels={"set": "one"})
    claimed = carry_out(
        lambda c: execution.claim(c, job.job_id, worker="w@host", pid=7, now=jobs.now)
    )
    if cancelled:
        jobs.cancel(job)
    state = carry_out(
        lambda c: execution.succeed(c, job.job_id, 1, result, jobs.now, content_key=content_key)
    )
    ended = jobs.get(job)
    steps = [replace(step, job_id="") for step in (claimed, ended)]
    written = [replace(row, job_id="", position=0) for row in jobs.log(job)]
    return state, steps, jobs.result(job), written


@pytest.mark.parametrize("cancelled", [False, True])
@pytest.mark.parametrize("content_key", [None, KEY])
@pytest.mark.parametrize("result", [None, RESULT])
def test_both_ways_write_the_same(jobs, in_a_transaction, result, content_key, cancelled):
    fields = {"result": result, "content_key": content_key, "cancelled": cancelled}
    alone = lived(jobs, jobs.statement, **fields)
    assert alone == lived(jobs, in_a_transaction, **fields)
    assert alone[0] is JobState.SUCCEEDED
    assert alone[2] == result
    changes = 4 if cancelled else 3
    assert [row.revision for row in alone[3]] == list(range(1, changes + 1))


def test_an_attempt_that_lost_its_job_writes_nothing(jobs):
    lost = jobs.running()
    jobs.hand_back(lost)
    again = jobs.claim(lost)
    before = jobs.log(lost)
    assert jobs.succeed(lost, RESULT) is None
    assert (jobs.get(again).state, jobs.result(lost), jobs.log(lost)) == (
        JobState.RUNNING,
        None,
        before,
    )


def test_a_job_that_has_ended_is_not_ended_again(jobs):
    job = jobs.running()
    jobs.succeed(job, RESULT)
    before = jobs.log(job)
    assert jobs.succeed(job, {"rhythm": {}}) is None
    assert (jobs.result(job), jobs.log(job)) == (RESULT, before)


def test_a_claim_that_waits_for_its_job_does_not_hold_up_the_log(
    postgresql_jobs, emptied_postgresql
):
    """It takes its turn after its change: before it, two that wait for each other could be."""
    jobs = postgresql_jobs
    first, second = jobs.submit("1.wav"), jobs.submit("2.wav")
    other = Database(emptied_postgresql, pooled=False)
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted"

    def claim() -> None:
        with other.statement() as connection:
            execution.claim(connection, first.job_id, worker="w", pid=1, now=jobs.now)

    claiming = threading.Thread(target=claim)
    with jobs.database.write() as connection:
        change.lock(connection, first.job_id)
        claiming.start()
        eventually(lambda: jobs.read(lambda c: c.exec_driver_sql(waiting).scalar()), within_s=5)
        jobs.claim(second)  # would wait for ever if the other one had its turn already
    claiming.join()
    found = jobs.read(lambda c: log.after(c, 0))
    assert [(row.job_id, row.revision) for row in found] == [
        (first.job_id, 1),
        (second.job_id, 1),
        (second.job_id, 2),
        (first.job_id, 2),
    ]


def test_a_reader_misses_nothing_of_many_that_claim_and_end(jobs, database_url):
    made = [jobs.submit(f"{number}.wav") for number in range(48)]
    seen: list[tuple[str, int]] = []
    done = threading.Event()
    reader = Database(database_url)

    def read() -> None:
        position = 0
        while True:
            last_round = done.is_set()
            with reader.query() as connection:
                found = log.after(connection, position)
            for row in found:
                seen.append((row.job_id, row.revision))
                position = row.position
            if last_round and not found:
                return

    def work(share: int) -> None:
        for job in made[share::6]:
            jobs.succeed(jobs.claim(job), RESULT)

    tailing = threading.Thread(target=read)
    tailing.start()
    try:
        jobs.at_once(*[lambda share=share: work(share) for share in range(6)])
    finally:
        done.set()
        tailing.join()
        reader.close()
    assert sorted(seen) == sorted((job.job_id, n) for job in made for n in (1, 2, 3))
    for job in made:
        assert [n for job_id, n in seen if job_id == job.job_id] == [1, 2, 3]
