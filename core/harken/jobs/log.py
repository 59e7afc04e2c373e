"""The transition log: every change of state, in order, in the transaction that makes it.

Positions become visible in their order, so a reader that stands at one has missed nothing below it. SQLite has one
writer at a time. On PostgreSQL transactions end in any order: a reader that has seen number 6 of a sequence would skip
number 5 when that commits later. Transaction ids do not help, since a younger transaction may take the smaller number.
So a row gets its lasting position in a trigger (first migration) that is deferred to the commit, under a lock that is
held until the commit is visible. Whoever waits for that lock already has all its rows, and whoever has it waits for
nobody, so there is no deadlock.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, Connection, Update, bindparam, func, insert, select

from harken.jobs.errors import PositionAhead
from harken.jobs.job import Transition
from harken.jobs.rows import TRANSITION_COLUMNS, transition_of
from harken.jobs.schema import TRANSITIONS

PAGE = 1_000  # rows that one read returns at most

_BESIDE = "log_"  # sets the parameters of the log's row apart from those of the change beside it


def append(connection: Connection, rows: Iterable[dict[str, Any]]) -> None:
    """Writes rows, each with the columns of TRANSITIONS but its position, which is final once they are committed."""
    connection.execute(insert(TRANSITIONS), list(rows))


@dataclass(frozen=True)
class Logged:
    """A change of one row of JOBS and its row in the log.

    On PostgreSQL they are one statement, for each costs a way there and back.
    """

    change: Update

    @cached_property
    def _with_row(self) -> Update:
        values = {
            column.name: bindparam(_BESIDE + column.name, type_=column.type)
            for column in TRANSITIONS.c
            if column is not TRANSITIONS.c.position
        }
        return self.change.add_cte(insert(TRANSITIONS).values(values).cte("logged"))

    def execute(
        self, connection: Connection, parameters: Mapping[str, Any], row: Mapping[str, Any]
    ) -> None:
        """Makes the change with these parameters and writes the row."""
        if connection.dialect.name != "postgresql":
            connection.execute(self.change, parameters)
            append(connection, [dict(row)])
            return
        beside = {_BESIDE + column.name: row.get(column.name) for column in TRANSITIONS.c}
        del beside[_BESIDE + TRANSITIONS.c.position.name]
        connection.execute(self._with_row, {**parameters, **beside})


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
