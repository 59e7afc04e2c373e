"""The rows of new jobs, written with one statement however many they are.

What differs between the jobs goes as one JSON array, which the database takes apart; the rest goes once, since each
value of that array costs the database a look through its row.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    FromClause,
    Insert,
    Select,
    Text,
    Uuid,
    bindparam,
    cast,
    func,
    insert,
    literal,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite

from harken.jobs import log
from harken.jobs.job import NewJob
from harken.jobs.state import JobState
from harken.jobs.store.schema import JOBS, UtcDateTime, utc_text


class JobRow(NamedTuple):
    """A job that is to be written; a tuple, since a batch needs ten thousand at once."""

    job_id: str
    owner: str
    batch_id: str | None
    new: NewJob
    request_hash: str
    create_time: datetime

    @property
    def schedule_deadline(self) -> datetime | None:
        """When it is too late to start."""
        timeout = self.new.schedule_timeout
        return self.create_time + timeout if timeout else None

    @property
    def run_timeout_s(self) -> float | None:
        """For how long it may run."""
        return self.new.run_timeout.total_seconds() if self.new.run_timeout else None


_VALUES: Mapping[str, Callable[[JobRow], Any]] = {
    "job_id": attrgetter("job_id"),
    "owner": attrgetter("owner"),
    "batch_id": attrgetter("batch_id"),
    "request_id": attrgetter("new.request_id"),
    "request_hash": attrgetter("request_hash"),
    "retry_of": attrgetter("new.retry_of"),
    "priority": attrgetter("new.priority"),
    "queue": attrgetter("new.queue"),
    "source_kind": attrgetter("new.source.kind"),
    "source": attrgetter("new.source.value"),
    "filename": attrgetter("new.filename"),
    "features": attrgetter("new.features"),
    "labels": attrgetter("new.labels"),
    "create_time": attrgetter("create_time"),
    "schedule_deadline": attrgetter("schedule_deadline"),
    "run_timeout_s": attrgetter("run_timeout_s"),
    "trace_parent": attrgetter("new.trace_parent"),
    "skip_cache": attrgetter("new.skip_cache"),
    "kind": attrgetter("new.kind"),
    "spec": attrgetter("new.spec"),
}


def insert_rows(
    connection: Connection, rows: Sequence[JobRow], *, unless_made: bool = False
) -> int:
    """Writes jobs; returns how many.

    With `unless_made` those are left out whose request_id has made a job before, otherwise they raise IntegrityError.
    """
    if not rows:
        return 0
    different, parameters = _taken_apart(rows, connection.dialect.name)
    statement = _insert_rows(connection.dialect.name, different, unless_made)
    return connection.execute(statement, parameters).rowcount


def insert_and_log(connection: Connection, rows: Sequence[JobRow]) -> int:
    """As `insert_rows` with `unless_made`, and their first transitions with them: a transaction by itself."""
    different, parameters = _taken_apart(rows, connection.dialect.name)
    return len(connection.execute(_insert_and_log(different), parameters).all())


def _taken_apart(rows: Sequence[JobRow], dialect: str) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The columns in which rows differ, and the parameters that hold all values."""
    columns = {name: [*map(value_of, rows)] for name, value_of in _VALUES.items()}
    same = {name: some[0] for name, some in columns.items() if some.count(some[0]) == len(rows)}
    same.pop("job_id", None)  # that of a single job
    different = tuple(name for name in columns if name not in same)
    each = zip(*(_plain(name, columns[name], dialect) for name in different), strict=True)
    return different, {**same, "rows": json.dumps([*each])}


def log_batch(connection: Connection, batch_id: str) -> None:
    """Has the first transitions of a batch's jobs written, in the order of their ids."""
    log.append_selected(connection, _OF_BATCH, {"batch_id": batch_id})


def log_rows(connection: Connection, rows: Sequence[JobRow]) -> None:
    """Has the first transitions of jobs written."""
    first = [
        {
            "job_id": row.job_id,
            "batch_id": row.batch_id,
            "revision": 1,
            "attempt": 0,
            "after": JobState.QUEUED.value,
            "time": row.create_time,
        }
        for row in rows
    ]
    log.append(connection, first)


def _plain(name: str, values: Sequence[Any], dialect: str) -> Sequence[Any]:
    """The values of a column as JSON has them."""
    kind = JOBS.c[name].type
    if isinstance(kind, Uuid):
        # Without hyphens, as SQLite keeps it; PostgreSQL takes it too.
        return [value and value.replace("-", "") for value in values]
    if isinstance(kind, UtcDateTime):
        return [value and utc_text(value, dialect) for value in values]
    return values


@lru_cache(maxsize=100)  # in practice some ten differ
def _insert_rows(dialect: str, different: tuple[str, ...], unless_made: bool) -> Insert:
    rows = bindparam("rows", type_=Text)
    each = (
        func.json_each(rows) if dialect == "sqlite" else func.json_array_elements(cast(rows, JSON))
    )
    row = each.table_valued("value").c.value

    def value(place: int, name: str) -> ColumnElement[Any]:
        column = JOBS.c[name]
        if isinstance(column.type, UtcDateTime) and dialect == "sqlite":
            return row.op("->>", return_type=column.type)(literal_column(str(place)))
        if isinstance(column.type, JSON):
            return row.op("->", return_type=column.type)(literal_column(str(place)))
        return cast(row.op("->>")(literal_column(str(place))), column.type)

    same = [name for name in _VALUES if name not in different]
    values = {
        **{name: value(place, name) for place, name in enumerate(different)},
        **{name: bindparam(name, type_=JOBS.c[name].type) for name in same},
        "state": literal(JobState.QUEUED.value),
        "revision": literal(1),
    }
    found = select(*values.values())
    if not unless_made:
        made = insert(JOBS).from_select([*values], found)
    else:
        if dialect == "sqlite":
            found = found.where(true())  # else it reads ON CONFLICT as part of the query
            made = sqlite.insert(JOBS).from_select([*values], found)
        else:
            made = postgresql.insert(JOBS).from_select([*values], found)
        made = made.on_conflict_do_nothing(index_elements=[JOBS.c.owner, JOBS.c.request_id])
    return made.execution_options(preserve_rowcount=True)


@lru_cache(maxsize=100)
def _insert_and_log(different: tuple[str, ...]) -> Select[Any]:
    inserted = _insert_rows("postgresql", different, unless_made=True)
    made = inserted.returning(JOBS.c.job_id, JOBS.c.batch_id, JOBS.c.create_time).cte("made")
    return select(made.c.job_id).add_cte(log.appending(made, _first_transitions(made)))


def _first_transitions(made: FromClause) -> Select[Any]:
    columns: dict[str, ColumnElement[Any]] = {
        "job_id": made.c.job_id,
        "batch_id": made.c.batch_id,
        # Not the row's: the same transaction may have changed it since.
        "revision": literal(1),
        "attempt": literal(0),
        "after": literal(JobState.QUEUED.value),
        "time": made.c.create_time,
    }
    return select(*(column.label(name) for name, column in columns.items()))


_OF_BATCH = (
    _first_transitions(JOBS).where(JOBS.c.batch_id == bindparam("batch_id")).order_by(JOBS.c.job_id)
)
