"""What an owner has is counted by one process at a time, from the count to the commit of what depends on it."""

from enum import IntEnum

from sqlalchemy import Connection, func, select


class Counted(IntEnum):
    """What is counted; the values are half of the keys of PostgreSQL's advisory locks."""

    WAITING = 0x68617277  # "harw"
    RUNNING = 0x68617272  # "harr"


def lock_owner(connection: Connection, what: Counted, owner: str) -> None:
    """Waits until nobody else counts that, and keeps others from it to the end of the transaction.

    SQLite has one writer at a time as it is.
    """
    if connection.dialect.name == "postgresql":
        lock = func.pg_advisory_xact_lock(int(what), func.hashtext(owner))
        connection.execute(select(lock.is_not(None)))
