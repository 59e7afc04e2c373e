"""The rows of new jobs, written with one statement however many they are.

What differs between the jobs goes as one JSON array, which the database takes apart; the rest goes once, since each
value of that array costs the database a look through its row.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

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


@dataclass(frozen=True, kw_only=True)
class JobRow:
    """A job that is to be written."""

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
    "job_id": lambda row: row.job_id,
    "owner": lambda row: row.owner,
    "batch_id": lambda row: row.batch_id,
    "request_id": lambda row: row.new.request_id,
    "request_hash": lambda row: row.request_hash,
    "retry_of": lambda row: row.new.retry_of,
    "priority": lambda row: row.new.priority,
    "queue": lambda row: row.new.queue,
    "source_kind": lambda row: row.new.source.kind,
    "source": lambda row: row.new.source.value,
    "filename": lambda row: row.new.filename,
    "features": lambda row: row.new.features,
    "labels": lambda row: dict(row.new.labels),
    "create_time": lambda row: row.create_time,
    "schedule_deadline": lambda row: row.schedule_deadline,
    "run_timeout_s": lambda row: row.run_timeout_s,
    "trace_parent": lambda row: row.new.trace_parent,
    "skip_cache": lambda row: row.new.skip_cache,
    "kind": lambda row: row.new.kind.value,
    "spec": lambda row: row.new.spec,
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
