"""The one clock by which jobs are made, leased, led and cancelled: the database's."""

from datetime import UTC, datetime

from sqlalchemy import Connection, text


def now(connection: Connection) -> datetime:
    """The time, asked for within the transaction, so that a host whose clock is off neither loses nor keeps a job.

    SQLite has the host's clock, which all its processes share.
    """
    if connection.dialect.name == "postgresql":
        # Not now(): that is when the transaction began, which may have waited for a lock since.
        return connection.execute(text("SELECT clock_timestamp()")).scalar_one().astimezone(UTC)
    return datetime.now(UTC)
