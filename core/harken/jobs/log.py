"""The transition log: every change of state, in order, in the transaction that makes it.

Positions become visible in their order, so a reader that stands at one has missed nothing below it. SQLite has one
writer at a time. On PostgreSQL transactions end in any order: a reader that has seen number 6 of a sequence would skip
number 5 when that commits later. Transaction ids do not help, since a younger transaction may take the smaller number.
So a transaction writes its rows last, under a lock that is held until its commit is visible, and takes their numbers
then. Whoever waits for that lock has made all its changes, and whoever has it waits for nobody: there is no deadlock.
"""

from collections.abc import Iterable
from functools import partial
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Insert,
    Select,
    bindparam,
    cast,
    func,
    insert,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB

from harken.jobs.errors import PositionAhead
from harken.jobs.job import Transition
from harken.jobs.store.rows import TRANSITION_COLUMNS, transition_of
from harken.jobs.store.schema import TRANSITIONS
from harken.jobs.store.transaction import at_end

PAGE = 1_000  # rows that one read returns at most

_ORDER_LOCK = 0x6861726C  # "harl": the key of PostgreSQL's advisory lock; a migration takes "hark"
_TIME = TRANSITIONS.c.time
_WRITTEN = tuple(column for column in TRANSITIONS.c if column is not TRANSITIONS.c.position)


def append(connection: Connection, rows: Iterable[dict[str, Any]]) -> None:
    """Has rows written at the end of the transaction, each with the columns of TRANSITIONS but its position."""
    if rows := list(rows):
        at_end(connection, partial(_write_rows, rows=rows))


def append_selected(connection: Connection, rows: Select[Any], parameters: dict[str, Any]) -> None:
    """As `append`, for rows that a query finds at the end, in its order; its columns bear their names."""
    statement = insert(TRANSITIONS).from_select(
        [column.name for column in rows.selected_columns],
        rows if connection.dialect.name != "postgresql" else _in_turn(rows),
    )
    at_end(connection, lambda c: c.execute(statement, parameters))


def appending(change: CTE, rows: Select[Any]) -> CTE:
    """The part of a statement on PostgreSQL that writes rows of `change`, another part, to the log.

    For a statement that is a transaction by itself: it has made its change when it waits for its turn.
    """
    # Counted first, so that all is changed by then: with the lock nothing is waited for.
    changes = select(func.count().label("number")).select_from(change).subquery()
    locked = select(func.pg_advisory_xact_lock(_ORDER_LOCK).is_not(None))
    after = locked.where(changes.c.number > 0).scalar_subquery()
    names = [column.name for column in rows.selected_columns]
    return insert(TRANSITIONS).from_select(names, rows.where(after)).cte("logged")


def _write_rows(connection: Connection, rows: list[dict[str, Any]]) -> None:
    if connection.dialect.name != "postgresql":
        connection.execute(insert(TRANSITIONS), rows)
        return
    values = [
        [
            row.get(column.name) if column is not _TIME else row["time"].isoformat()
            for column in _WRITTEN
        ]
        for row in rows
    ]
    connection.execute(_INSERT_IN_TURN, {"rows": values})


def _in_turn(rows: Select[Any]) -> Select[Any]:
    """The query, which finds its first row only once the lock is held: a number is taken after that."""
    locked = select(func.pg_advisory_xact_lock(_ORDER_LOCK).is_not(None))
    return rows.where(locked.scalar_subquery())


def _insert_in_turn() -> Insert:
    """Rows that come as an array of arrays: one statement, however many they are."""
    each = func.jsonb_array_elements(bindparam("rows", type_=JSONB)).table_valued("value")
    values = {
        column.name: cast(each.c.value.op("->>")(literal_column(str(place))), column.type)
        for place, column in enumerate(_WRITTEN)
    }
    return insert(TRANSITIONS).from_select([*values], _in_turn(select(*values.values())))


_INSERT_IN_TURN = _insert_in_turn()


def head(connection: Connection) -> int:
    """The newest position; 0 for an empty log."""
    return connection.execute(select(func.max(TRANSITIONS.c.position))).scalar() or 0


def check_position(connection: Connection, position: int) -> None:
    """Raises PositionAhead when the log never reached the position."""
    if position > head(connection):
        raise PositionAhead(position)


def after(connection: Connection, position: int) -> tuple[Transition, ...]:
    """The transitions of all jobs after a position, in order, at most `PAGE` of them."""
    return _read(connection, TRANSITIONS.c.position > position)


def of_job(connection: Connection, job_id: str, position: int = 0) -> tuple[Transition, ...]:
    """The transitions of one job after a position, in order, at most `PAGE` of them."""
    return _read(connection, TRANSITIONS.c.job_id == job_id, TRANSITIONS.c.position > position)


def of_batch(connection: Connection, batch_id: str, position: int) -> tuple[Transition, ...]:
    """The transitions of a batch's jobs after a position, in order, at most `PAGE` of them."""
    return _read(connection, TRANSITIONS.c.batch_id == batch_id, TRANSITIONS.c.position > position)


def head_of_batch(connection: Connection, batch_id: str) -> int:
    """The newest position of a batch's jobs; 0 when there is none."""
    newest = select(func.max(TRANSITIONS.c.position)).where(TRANSITIONS.c.batch_id == batch_id)
    return connection.execute(newest).scalar() or 0


def _read(connection: Connection, *where: ColumnElement[bool]) -> tuple[Transition, ...]:
    rows = select(*TRANSITION_COLUMNS).where(*where).order_by(TRANSITIONS.c.position).limit(PAGE)
    return tuple(transition_of(row) for row in connection.execute(rows))
