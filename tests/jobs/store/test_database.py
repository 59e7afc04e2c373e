import subprocess
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError, OperationalError

import harken.jobs.store.database
from harken.jobs.store.database import Database
from harken.jobs.store.migrate import migrate
from harken.jobs.store.schema import LEADERS, UtcDateTime
from tests.conftest import new_postgresql_database


@pytest.fixture
def sqlite(tmp_path):
    """A SQLite database with harken's schema."""
    opened = Database(f"sqlite:///{tmp_path / 'harken.db'}")
    migrate(opened)
    yield opened
    opened.close()


LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
EAST = timezone(timedelta(hours=5, minutes=45))

ORPHAN = text(
    "INSERT INTO harken_results (job_id, result)"
    " VALUES ('0197c0de-0000-7000-8000-00000000dead', '{}')"
)

SUBMIT_MANY = """
import sys
from datetime import UTC, datetime
from harken.jobs.store.database import Database
from harken.jobs.job import NewJob, Source
from harken.jobs.submission import submit_job

database = Database(sys.argv[1])
new = NewJob(source=Source(kind="path", value="a.wav"), features=("media",), queue="default")
for _ in range(30):
    with database.write() as connection:
        submit_job(connection, new, owner="local", now=datetime.now(UTC))
database.close()
"""


@pytest.mark.parametrize(
    ("pragma", "value"),
    # SQLite's numbers: 2 is FULL.
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 30_000)],
)
def test_sqlite_is_durable_and_strict(sqlite, pragma, value):
    with sqlite.read() as connection:
        assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value


def test_a_sqlite_write_transaction_has_the_write_lock_from_its_begin(sqlite, monkeypatch):
    """One that begins as a reader could fail in the middle, when another writer was first."""
    monkeypatch.setattr(harken.jobs.store.database, "BUSY_TIMEOUT_MS", 0)
    impatient = Database(str(sqlite.engine.url))
    with sqlite.write(), pytest.raises(OperationalError, match="locked"), impatient.write():
        pytest.fail("two writers at once")
    impatient.close()


def test_a_sqlite_reader_does_not_wait_for_a_writer(sqlite):
    with sqlite.write() as writer:
        writer.execute(insert(LEADERS).values(role="r", holder="h", expires_at=LONG_AGO))
        with sqlite.read() as reader:
            assert reader.execute(LEADERS.select()).all() == []


def test_a_row_that_points_nowhere_is_refused(database):
    with pytest.raises(IntegrityError), database.write() as connection:
        connection.execute(ORPHAN)


def test_an_error_undoes_the_transaction(jobs):
    def submit_and_fail(connection):
        connection.execute(insert(LEADERS).values(role="r", holder="h", expires_at=jobs.now))
        raise LookupError

    with pytest.raises(LookupError):
        jobs.write(submit_and_fail)
    assert jobs.read(lambda c: c.execute(LEADERS.select()).all()) == []


def test_all_reads_of_a_transaction_see_the_same_moment(jobs):
    with jobs.database.read() as connection:
        before = connection.execute(text("SELECT count(*) FROM harken_jobs")).scalar()
        jobs.submit()
        after = connection.execute(text("SELECT count(*) FROM harken_jobs")).scalar()
    assert (before, after) == (0, 0)


def test_two_processes_that_write_at_once_both_succeed(jobs, database_url, python):
    processes = [
        subprocess.Popen([python, "-c", SUBMIT_MANY, database_url], stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    errors = [process.communicate()[1].decode() for process in processes]
    assert errors == ["", ""]
    assert len(jobs.listed(limit=1000)) == 60


def test_a_url_without_a_driver_is_one_of_psycopg():
    for spelling in ("postgres", "postgresql", "postgresql+psycopg"):
        database = Database(f"{spelling}://user:secret@host/name")
        assert database.engine.url.drivername == "postgresql+psycopg"
        assert database.dialect == "postgresql"


def test_without_a_pool_no_connection_outlives_its_transaction(database_url):
    database = Database(database_url, pooled=False)
    with database.read() as connection:
        raw = connection.connection.dbapi_connection
        connection.exec_driver_sql("SELECT 1")
    with pytest.raises(Exception, match="closed"):
        raw.execute("SELECT 1")


def test_times_come_back_in_utc_whatever_zone_they_were_given_in(jobs):
    local = jobs.now.astimezone(EAST)
    jobs.write(lambda c: c.execute(insert(LEADERS).values(role="r", holder="h", expires_at=local)))
    found = jobs.read(lambda c: c.execute(LEADERS.select()).one())
    assert found.expires_at == local
    assert found.expires_at.utcoffset().total_seconds() == 0


def test_a_missing_time_stays_missing(database):
    assert UtcDateTime().process_bind_param(None, database.engine.dialect) is None
    assert UtcDateTime().process_result_value(None, database.engine.dialect) is None


def test_a_path_with_a_percent_sign_and_spaces_works(tmp_path):
    folder = Path(tmp_path, "100% my data")
    folder.mkdir()
    database = Database(f"sqlite:///{folder / 'harken.db'}")
    migrate(database)
    database.close()


def _cut(other):
    """Ends all other connections, as a restart of the server does."""
    with other.write() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )


def _answers(database):
    with database.read() as connection:
        return connection.execute(text("SELECT 1")).scalar() == 1


@pytest.fixture
def pooled(postgresql):
    """A pool of connections to PostgreSQL, and one beside it."""
    with new_postgresql_database(postgresql) as url:
        opened, other = Database(url), Database(url, pooled=False)
        assert _answers(opened)
        yield opened, other
        opened.close()


def test_a_connection_that_died_while_nobody_used_it_is_replaced_unseen(pooled, monkeypatch):
    database, other = pooled
    monkeypatch.setattr(harken.jobs.store.database, "TRUSTED_FOR_S", 0.0)
    _cut(other)
    assert _answers(database)


def test_a_connection_that_died_right_after_its_use_fails_once_and_is_replaced(pooled, monkeypatch):
    database, other = pooled
    monkeypatch.setattr(harken.jobs.store.database, "TRUSTED_FOR_S", 3600.0)
    _cut(other)
    with pytest.raises(OperationalError):
        _answers(database)
    assert _answers(database)
