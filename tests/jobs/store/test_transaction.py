from contextlib import suppress

import pytest

from harken.jobs import cancellation, submission
from harken.jobs.job import NewBatch
from harken.jobs.state import JobState
from harken.jobs.store.transaction import at_end, savepoint


def submit(jobs, connection, path="a.wav"):
    return submission.submit_job(connection, jobs.new(path), owner="local", now=jobs.now)


def test_what_is_to_be_written_last_is_written_in_its_order_before_the_commit(jobs):
    written = []
    with jobs.database.write() as connection:
        for number in range(3):
            at_end(
                connection, lambda c, number=number: written.append((number, c.in_transaction()))
            )
        assert written == []
    assert written == [(0, True), (1, True), (2, True)]


def test_what_was_to_be_written_last_goes_with_the_savepoint_that_is_undone(jobs):
    """A job that was not made after all leaves no row in the log."""
    with jobs.database.write() as connection:
        first = submit(jobs, connection)
        with suppress(ZeroDivisionError), savepoint(connection):
            undone = submit(jobs, connection, "undone.wav")
            raise ZeroDivisionError
        last = submit(jobs, connection, "b.wav")
    assert [len(jobs.log(job)) for job in (first, undone, last)] == [1, 0, 1]


def test_a_transaction_whose_last_write_fails_leaves_nothing(jobs):
    def fail(_):
        raise ZeroDivisionError

    def submit_and_fail(connection):
        at_end(connection, fail)
        submit(jobs, connection)

    with pytest.raises(ZeroDivisionError):
        jobs.write(submit_and_fail)
    assert jobs.listed() == []
    with jobs.database.write() as connection:  # of the same pool
        submit(jobs, connection)
    assert len(jobs.listed()) == 1


def test_only_a_write_transaction_has_an_end_to_write_at(jobs):
    with jobs.database.read() as connection, pytest.raises(RuntimeError, match=r"Database\.write"):
        at_end(connection, lambda _: None)


def test_what_follows_in_the_same_transaction_comes_after_what_was_before_it(jobs):
    """Of a batch, whose first rows are read at the end, they are those of its beginning all the same."""
    new = NewBatch(items=tuple(enumerate([jobs.new("a.wav"), jobs.new("b.wav")])))
    with jobs.database.write() as connection:
        batch = submission.submit_batch(connection, new, owner="local", now=jobs.now)
        cancellation.cancel_batch(
            connection, batch.batch_id, owner="local", now=jobs.now, asked=None
        )
    states = [[(row.revision, row.after) for row in jobs.log(job)] for job in jobs.listed()]
    assert states == [[(1, JobState.QUEUED), (2, JobState.CANCELLED)]] * 2
