from datetime import UTC, datetime, timedelta

from sqlalchemy import event, text

from harken.jobs import clock
from harken.jobs.store.database import Database


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


def test_postgresql_is_asked_again_and_again_and_not_each_time(emptied_postgresql, monkeypatch):
    """The time in between is reckoned by a stopwatch, which no setting of a clock moves."""
    database = Database(emptied_postgresql)
    asked: list[str] = []
    event.listen(
        database.engine,
        "before_cursor_execute",
        lambda _c, _u, statement, *_: asked.append(statement),
    )
    with database.read() as connection:
        first = clock.now(connection)
        monkeypatch.setattr(clock, "datetime", _WrongHost)
        between = clock.now(connection)
        assert len(asked) == 1
        monkeypatch.setattr(clock, "ASKED_EVERY_S", 0.0)
        again = clock.now(connection)
    database.close()
    assert len(asked) == 2
    assert first < between < again < first + timedelta(minutes=1)
