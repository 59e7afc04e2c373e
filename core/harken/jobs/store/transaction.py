"""What belongs to a write transaction besides its statements: what it writes last, and savepoints that know of it."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import cast

from sqlalchemy import Connection

LastWrite = Callable[[Connection], object]

_KEY = "harken_last_writes"


@contextmanager
def last_writes(connection: Connection) -> Generator[None]:
    """Around all that the transaction does: runs at its end, in order, what `at_end` was given."""
    pending: list[LastWrite] = []
    connection.info[_KEY] = pending
    try:
        yield
        for write in pending:
            write(connection)
    finally:
        del connection.info[_KEY]


def at_end(connection: Connection, write: LastWrite) -> None:
    """Has `write` run just before the transaction is committed."""
    _pending(connection).append(write)


def none_around(connection: Connection) -> bool:
    """Whether each statement is a transaction by itself: `Database.statement` on PostgreSQL."""
    return _KEY not in connection.info


@contextmanager
def savepoint(connection: Connection) -> Generator[None]:
    """Undoes all that is done within when it raises, also what was to be written at the end."""
    pending = _pending(connection)
    kept = len(pending)
    try:
        with connection.begin_nested():
            yield
    except BaseException:
        del pending[kept:]
        raise


def _pending(connection: Connection) -> list[LastWrite]:
    try:
        return cast(list[LastWrite], connection.info[_KEY])
    except KeyError:
        raise RuntimeError("only a transaction of Database.write writes at its end") from None
