from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from harken.jobs import clock


class _WrongHost(datetime):
    """A host's clock that is an hour fast."""

    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) + timedelta(hours=1)


def test_it_tells_the_time_in_utc(database):
    with database.read() as connection:
        told = clock.now(connection)
    assert told.utcoffset() == timedelta(0)
    assert abs(told - datetime.now(UTC)) < timedelta(minutes=1)


def test_on_postgresql_it_is_the_databases_whatever_the_host_says(database, monkeypatch):
    monkeypatch.setattr(clock, "datetime", _WrongHost)
    with database.read() as connection:
        off = abs(clock.now(connection) - datetime.now(UTC))
    assert (off < timedelta(minutes=1)) == (database.dialect == "postgresql")


def test_it_goes_on_within_a_transaction(database):
    with database.write() as connection:
        first = clock.now(connection)
        if database.dialect == "postgresql":
            connection.execute(text("SELECT pg_sleep(0.01)"))
        assert clock.now(connection) > first
