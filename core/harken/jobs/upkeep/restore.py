"""Restoring a backup: only while nobody works, and so that the work goes on from there."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, delete, inspect, select
from sqlalchemy.exc import DatabaseError

from harken.jobs import clock, execution
from harken.jobs.errors import BackupFailed, StillAlive
from harken.jobs.queueing import leadership, outbox
from harken.jobs.queueing.workers import LOST_AFTER
from harken.jobs.state import HELD
from harken.jobs.store.database import Database
from harken.jobs.store.migrate import migrate
from harken.jobs.store.schema import JOBS, LEADERS, WORKERS
from harken.jobs.upkeep import backup


def restore(
    database: Database,
    path: Path,
    *,
    force: bool,
    now: Callable[[Connection], datetime] = clock.now,
) -> None:
    """Puts a backup in the place of all that the database holds, and brings it to this version's schema.

    Raises StillAlive, unless forced, and BackupFailed.
    """
    names = _alive_in(database, now)
    if names and not force:
        raise StillAlive(names)
    backup.load(database, path)
    migrate(database)
    with database.write() as connection:
        _settle(connection, now(connection))


def alive(connection: Connection, now: datetime) -> tuple[str, ...]:
    """Who works with the database, by the workers' heartbeats and the leases that each server has."""
    # Of the columns that there have always been, since the database may be of an older version.
    beaten = select(WORKERS.c.name).where(WORKERS.c.heartbeat_time >= now - LOST_AFTER)
    names = connection.execute(beaten.order_by(WORKERS.c.name)).scalars()
    found = [f"worker {name}" for name in names]
    found += [f"server {holder}" for holder in leadership.holders(connection, now)]
    return tuple(found)


def _alive_in(database: Database, now: Callable[[Connection], datetime]) -> tuple[str, ...]:
    try:
        with database.read() as connection:
            if not all(inspect(connection).has_table(table.name) for table in (WORKERS, LEADERS)):
                return ()
            return alive(connection, now(connection))
    except DatabaseError as error:
        raise BackupFailed(
            f"The database cannot be read: {error.orig}. If it is broken, move its files away first."
        ) from error


def _settle(connection: Connection, now: datetime) -> None:
    """What was under way when the backup was made is nobody's now, and waits again."""
    connection.execute(delete(LEADERS))
    connection.execute(delete(WORKERS))
    held = select(JOBS.c.job_id, JOBS.c.attempt).where(
        JOBS.c.state.in_([state.value for state in HELD])
    )
    for row in connection.execute(held.order_by(JOBS.c.job_id)).all():
        execution.hand_back(connection, row.job_id, row.attempt, now)
    outbox.forget_published(connection, outbox.published(connection))
