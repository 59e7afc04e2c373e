import random
import threading
from itertools import pairwise

import pytest

from harken.jobs import execution, log, submission
from harken.jobs.errors import PositionAhead
from harken.jobs.state import LEGAL, JobState
from harken.jobs.store.database import Database
from harken.jobs.store.transaction import at_end
from tests.conftest import eventually


def tail(jobs, position):
    """What a reader that stands at `position` reads next, and where it stands then."""
    found = jobs.read(lambda c: log.after(c, position))
    return [(row.job_id, row.revision) for row in found], found[-1].position if found else position


def test_a_jobs_log_is_a_chain_without_gaps(jobs):
    """Revisions 1 to n; each row begins in the state in which the one before ended."""
    job = jobs.running()
    jobs.retry(job)
    jobs.advance(minutes=10)
    jobs.lose(jobs.claim(job))
    jobs.hand_back(jobs.claim(job))
    jobs.cancel(jobs.claim(job))
    jobs.succeed(jobs.get(job))
    rows = jobs.log(job)
    assert [row.revision for row in rows] == list(range(1, len(rows) + 1))
    assert rows[0].before is None
    assert all(earlier.after is later.before for earlier, later in pairwise(rows))
    assert all(row.after in LEGAL[row.before] for row in rows[1:])
    assert [row.attempt for row in rows] == [0, 1, 1, 2, 2, 3, 3, 4, 4, 4]
    assert jobs.get(job).revision == len(rows)
    assert rows[-1].after is JobState.SUCCEEDED


def test_a_row_tells_when_and_why(jobs):
    job = jobs.running()
    jobs.advance(seconds=5)
    jobs.retry(job)
    last = jobs.log(job)[-1]
    assert (last.time, last.error) == (jobs.now, jobs.transient_error())
    assert (last.before, last.after) == (JobState.RUNNING, JobState.QUEUED)


def test_a_batchs_rows_name_their_batch(jobs):
    batch = jobs.submit_batch(jobs.new())
    (job,) = jobs.listed()
    jobs.claim(job)
    assert {row.batch_id for row in jobs.log(job)} == {batch.batch_id}


def test_a_reader_gets_what_came_after_its_position_in_order_and_once(jobs):
    first, second = jobs.submit(), jobs.submit()
    rows, position = tail(jobs, 0)
    assert rows == [(first.job_id, 1), (second.job_id, 1)]
    jobs.claim(second)
    jobs.claim(first)
    rows, position = tail(jobs, position)
    assert rows == [(second.job_id, 2), (first.job_id, 2)]
    assert tail(jobs, position) == ([], position)


def test_the_head_is_where_a_reader_stands_that_has_read_all(jobs):
    assert jobs.read(log.head) == 0
    jobs.running()
    assert jobs.read(log.head) == tail(jobs, 0)[1]


def test_a_job_can_be_read_from_a_position_on(jobs):
    job = jobs.running()
    queued, running = jobs.log(job)
    assert jobs.read(lambda c: log.of_job(c, job.job_id, queued.position)) == (running,)


def test_a_long_log_is_read_in_pages(jobs, monkeypatch):
    monkeypatch.setattr(log, "PAGE", 3)
    jobs.submit_batch(*[jobs.new(f"{n}.wav") for n in range(7)])
    pages, position = [], 0
    while True:
        rows, position = tail(jobs, position)
        if not rows:
            break
        pages.append(len(rows))
    assert pages == [3, 3, 1]


def test_a_batch_has_a_log_of_its_own_jobs(jobs):
    batch = jobs.submit_batch(jobs.new())
    (job,) = jobs.listed()
    head = jobs.read(lambda c: log.head_of_batch(c, batch.batch_id))
    other = jobs.submit()
    jobs.claim(other)
    assert jobs.read(lambda c: log.head_of_batch(c, batch.batch_id)) == head
    assert jobs.read(lambda c: log.of_batch(c, batch.batch_id, head)) == ()
    jobs.claim(job)
    (claimed,) = jobs.read(lambda c: log.of_batch(c, batch.batch_id, head))
    assert (claimed.job_id, claimed.revision) == (job.job_id, 2)
    assert jobs.read(lambda c: log.head_of_batch(c, batch.batch_id)) == claimed.position > head


def test_a_position_that_the_log_never_reached_is_refused(jobs):
    jobs.submit()
    head = jobs.read(log.head)
    jobs.read(lambda c: log.check_position(c, head))
    with pytest.raises(PositionAhead) as caught:
        jobs.read(lambda c: log.check_position(c, head + 1))
    assert caught.value.position == head + 1


def test_a_position_is_never_given_twice(jobs):
    """Not even after the newest rows were deleted, so that an old token does not point at new rows."""
    job = jobs.submit()
    head = jobs.read(log.head)
    jobs.write(lambda c: c.exec_driver_sql("DELETE FROM harken_transitions"))
    jobs.claim(job)
    assert jobs.log(job)[0].position > head


def test_a_reader_does_not_skip_a_row_that_commits_late(postgresql_jobs):
    jobs = postgresql_jobs
    new = jobs.new()
    with jobs.database.write() as slow:
        late = submission.submit_job(slow, new, owner="local", now=jobs.now)
        early = jobs.submit()
        rows, position = tail(jobs, 0)
        head = jobs.read(log.head)
    assert rows in ([], [(early.job_id, 1)])
    after_head, _ = tail(jobs, head)
    assert (late.job_id, 1) in after_head
    later, _ = tail(jobs, position)
    assert sorted(rows + later) == sorted([(early.job_id, 1), (late.job_id, 1)])


def test_a_reader_does_not_skip_a_row_of_a_transaction_that_began_late_and_wrote_early(
    postgresql_jobs,
):
    """The order of transaction ids need not be the order in which they write to the log."""
    jobs = postgresql_jobs
    first, second = jobs.submit("1.wav"), jobs.submit("2.wav")
    _, position = tail(jobs, 0)
    with jobs.database.write() as younger:
        with jobs.database.write() as older:
            # The older transaction gets its id, and writes to the log only after the younger one.
            older.exec_driver_sql("SELECT pg_current_xact_id()")
            execution.claim(younger, second.job_id, worker="w", pid=1, now=jobs.now)
            execution.claim(older, first.job_id, worker="w", pid=1, now=jobs.now)
        rows, position = tail(jobs, position)
        head = jobs.read(log.head)
    assert (second.job_id, 2) in tail(jobs, head)[0]
    rows += tail(jobs, position)[0]
    assert sorted(rows) == sorted([(first.job_id, 2), (second.job_id, 2)])


def test_a_tailing_reader_misses_nothing_while_many_write(jobs, database_url):
    """Each job's transitions reach it once each and in order, whatever order transactions end in."""
    seen: list[tuple[str, int]] = []
    done = threading.Event()
    reader = Database(database_url)

    def read() -> None:
        position = 0
        while True:
            last_round = done.is_set()
            with reader.read() as connection:
                found = log.after(connection, position)
            for row in found:
                seen.append((row.job_id, row.revision))
                position = row.position
            if last_round and not found:
                return

    def write(seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(8):
            with jobs.database.write() as connection:
                if rng.random() < 0.5 and connection.dialect.name == "postgresql":
                    connection.exec_driver_sql("SELECT pg_current_xact_id()")
                made = [
                    submission.submit_job(connection, jobs.new(), owner="local", now=jobs.now)
                    for _ in range(rng.randint(1, 4))
                ]
                for job in made:
                    execution.claim(connection, job.job_id, worker="w", pid=1, now=jobs.now)

    tailing = threading.Thread(target=read)
    tailing.start()
    try:
        jobs.at_once(*[lambda seed=seed: write(seed) for seed in range(6)])
    finally:
        done.set()
        tailing.join()
        reader.close()
    expected = [(job.job_id, n) for job in jobs.listed(limit=1000) for n in (1, 2)]
    assert sorted(seen) == sorted(expected)
    assert all(seen.index((job, 1)) < seen.index((job, 2)) for job, n in seen if n == 2)


def test_a_transaction_waits_for_the_one_that_is_giving_its_rows_their_positions(
    postgresql_jobs, emptied_postgresql
):
    """Between a row's position and the end of its transaction no other one gets a position."""
    jobs = postgresql_jobs
    other = Database(emptied_postgresql, pooled=False)
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"

    def submit() -> None:
        with other.write() as connection:
            submission.submit_job(connection, jobs.new("b.wav"), owner="local", now=jobs.now)

    second = threading.Thread(target=submit)

    def meanwhile(_: object) -> None:
        second.start()
        eventually(lambda: jobs.read(lambda c: c.exec_driver_sql(waiting).scalar()), within_s=5)
        assert tail(jobs, 0) == ([], 0)

    with jobs.database.write() as connection:
        submission.submit_job(connection, jobs.new("a.wav"), owner="local", now=jobs.now)
        at_end(connection, meanwhile)  # after the log's rows
    second.join()
    rows, _ = tail(jobs, 0)
    by_id = {job.job_id: job.source.value for job in jobs.listed()}
    assert [by_id[job_id] for job_id, _ in rows] == ["a.wav", "b.wav"]
