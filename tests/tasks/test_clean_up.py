from datetime import UTC, datetime, timedelta

import pytest

from harken.jobs import cancellation, queries, submission
from harken.jobs.job import NewBatch, NewJob, Source
from harken.jobs.queries import JobFilter
from harken.settings import Settings
from harken.tasks.maintenance import clean_up

NEW = NewJob(source=Source(kind="path", value="a.wav"), features=("media",), queue="default")


@pytest.fixture
def clean(database_url, redis, monkeypatch):
    """Runs the task as a worker's child would, with a retention of 30 days."""
    settings = Settings(database_url=database_url, result_backend=redis, retention_days=30)
    monkeypatch.setattr(clean_up, "settings", settings)
    for opened in ("database", "bell"):
        clean_up.__dict__.pop(opened, None)
    yield clean_up.run
    clean_up.database.close()
    clean_up.bell.close()
    del clean_up.database, clean_up.bell


@pytest.fixture
def batch_of(database):
    """A batch with one job, made and cancelled so many days ago."""

    def make(days):
        then = datetime.now(UTC) - timedelta(days=days)
        with database.write() as connection:
            batch = submission.submit_batch(
                connection, NewBatch(items=((0, NEW),)), owner="local", now=then
            )
            return cancellation.cancel_batch(
                connection, batch.batch_id, owner="local", now=then
            ).batch_id

    return make


def batches(database):
    with database.read() as connection:
        listed = queries.list_jobs(connection, JobFilter(), owner="local", limit=100)
    return {job.batch_id for job in listed}


def test_what_ended_more_than_the_retention_ago_is_deleted_and_counted(clean, database, batch_of):
    batch_of(31)
    batch_of(400)
    young = batch_of(29)
    assert clean() == {"jobs": 2, "batches": 2}
    assert batches(database) == {young}


def test_a_second_clean_up_finds_nothing(clean, batch_of):
    batch_of(31)
    clean()
    assert clean() == {"jobs": 0, "batches": 0}


def test_a_clean_up_of_an_empty_database_is_no_error(clean):
    assert clean() == {"jobs": 0, "batches": 0}
