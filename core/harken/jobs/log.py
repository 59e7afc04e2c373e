"""The transition log: every change of state, in order, in the transaction that makes it."""

from collections.abc import Iterable
from typing import Any

from harken.jobs.errors import PositionAhead
from harken.jobs.job import Transition
from harken.jobs.rows import TRANSITION_COLUMNS, transition_of
from harken.jobs.schema import TRANSITIONS
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Text,
    cast,
    func,
    insert,
    select,
    true,
)

PAGE = 1_000  # rows that one read returns at most


def append(connection: Connection, rows: Iterable[dict[str, Any]]) -> None:
    """Writes rows, each with the columns of TRANSITIONS but its position."""
    statement = insert(TRANSITIONS)
    if connection.dialect.name == "postgresql":
        statement = statement.values(transaction_id=_postgresql_id(func.pg_current_xact_id()))
    connection.execute(statement, list(rows))


def head(connection: Connection) -> int:
    """The position up to which the log is complete; 0 for an empty log."""
    newest = select(func.max(TRANSITIONS.c.position)).where(_settled(connection))
    return connection.execute(newest).scalar() or 0


def check_position(connection: Connection, position: int) -> None:
    """Raises PositionAhead when the log never reached the position."""
    newest = connection.execute(select(func.max(TRANSITIONS.c.position))).scalar() or 0
    if position > newest:
        raise PositionAhead(position)


def after(connection: Connection, position: int) -> tuple[Transition, ...]:
    """The transitions of all jobs after a position, in order, at most `PAGE` of them."""
    return _read(connection, TRANSITIONS.c.position > position, _settled(connection))


def of_job(connection: Connection, job_id: str, position: int = 0) -> tuple[Transition, ...]:
    """The transitions of one job after a position, in order."""
    # A job's own transitions commit in order: its row is locked while they are made.
    return _read(connection, TRANSITIONS.c.job_id == job_id, TRANSITIONS.c.position > position)


def batch_changed(connection: Connection, batch_id: str, position: int) -> bool:
    """Whether a job of the batch has a transition after a position."""
    later = select(TRANSITIONS.c.position).where(
        TRANSITIONS.c.batch_id == batch_id, TRANSITIONS.c.position > position
    )
    return connection.execute(later.limit(1)).one_or_none() is not None


def _read(connection: Connection, *where: ColumnElement[bool]) -> tuple[Transition, ...]:
    rows = select(*TRANSITION_COLUMNS).where(*where).order_by(TRANSITIONS.c.position).limit(PAGE)
    return tuple(transition_of(row) for row in connection.execute(rows))


def _settled(connection: Connection) -> ColumnElement[bool]:
    """Holds for rows that no row of a still running transaction can come before."""
    if connection.dialect.name != "postgresql":
        return true()
    oldest_running = func.pg_snapshot_xmin(func.pg_current_snapshot())
    return TRANSITIONS.c.transaction_id < _postgresql_id(oldest_running)


def _postgresql_id(transaction_id: ColumnElement[Any]) -> ColumnElement[int]:
    # xid8 has no cast to bigint but by way of text.
    return cast(cast(transaction_id, Text), BigInteger)
