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
    Insert,
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
from harken.jobs.store.schema import JOBS


@dataclass(frozen=True, kw_only=True)
class JobRow:
    """A job that is to be written."""

    job_id: str
    owner: str
    batch_id: str | None
    new: NewJob
    request_hash: str
    create_time: datetime


# What may differ between jobs that are written at once, and usually does in few of them.
_OWN: Mapping[str, Callable[[JobRow], Any]] = {
    "job_id": lambda row: row.job_id,
    "request_id": lambda row: row.new.request_id,
    "request_hash": lambda row: row.request_hash,
    "retry_of": lambda row: row.new.retry_of,
    "queue": lambda row: row.new.queue,
    "source_kind": lambda row: row.new.source.kind,
    "source": lambda row: row.new.source.value,
    "features": lambda row: row.new.features,
    "labels": lambda row: dict(row.new.labels),
    "trace_parent": lambda row: row.new.trace_parent,
    "spec": lambda row: row.new.spec,
    "filename": lambda row: row.new.filename,
}
_IN_COMMON = (
    "owner",
    "batch_id",
    "priority",
    "create_time",
    "schedule_deadline",
    "run_timeout_s",
    "skip_cache",
    "kind",
)


def insert_rows(
    connection: Connection, rows: Sequence[JobRow], *, unless_made: bool = False
) -> int:
    """Writes jobs; returns how many.

    With `unless_made` those are left out whose request_id has made a job before, otherwise they raise IntegrityError.
    """
    alike: dict[tuple[Any, ...], list[JobRow]] = {}
    for row in rows:
        alike.setdefault(_in_common(row), []).append(row)
    return sum(
        _insert_alike(connection, dict(zip(_IN_COMMON, common, strict=True)), some, unless_made)
        for common, some in alike.items()
    )


def _insert_alike(
    connection: Connection, common: dict[str, Any], rows: Sequence[JobRow], unless_made: bool
) -> int:
    columns = {name: [*map(value_of, rows)] for name, value_of in _OWN.items()}
    same = {name: some[0] for name, some in columns.items() if some.count(some[0]) == len(rows)}
    same.pop("job_id", None)  # that of a single job
    different = tuple(name for name in columns if name not in same)
    each = zip(*(_plain(name, columns[name]) for name in different), strict=True)
    statement = _insert_rows(connection.dialect.name, different, unless_made)
    return connection.execute(statement, {**common, **same, "rows": json.dumps([*each])}).rowcount


def log_batch(connection: Connection, batch_id: str) -> None:
    """Has the first transitions of a batch's jobs written, in the order of their ids."""
    log.append_selected(connection, _FIRST_TRANSITIONS, {"batch_id": batch_id})


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


def _in_common(row: JobRow) -> tuple[Any, ...]:
    new, now = row.new, row.create_time
    return (
        row.owner,
        row.batch_id,
        new.priority,
        now,
        now + new.schedule_timeout if new.schedule_timeout else None,
        new.run_timeout.total_seconds() if new.run_timeout else None,
        new.skip_cache,
        new.kind.value,
    )


def _plain(name: str, values: Sequence[Any]) -> Sequence[Any]:
    """The values of a column as JSON has them."""
    if isinstance(JOBS.c[name].type, Uuid):
        # Without hyphens, as SQLite keeps it; PostgreSQL takes it too.
        return [value and value.replace("-", "") for value in values]
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
        if isinstance(column.type, JSON):
            return row.op("->", return_type=column.type)(literal_column(str(place)))
        return cast(row.op("->>")(literal_column(str(place))), column.type)

    same = [name for name in (*_OWN, *_IN_COMMON) if name not in different]
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


_FIRST_TRANSITION = {
    "job_id": JOBS.c.job_id,
    "batch_id": JOBS.c.batch_id,
    # Not the row's: the same transaction may have changed it since.
    "revision": literal(1),
    "attempt": literal(0),
    "after": literal(JobState.QUEUED.value),
    "time": JOBS.c.create_time,
}
_FIRST_TRANSITIONS = (
    select(*(column.label(name) for name, column in _FIRST_TRANSITION.items()))
    .where(JOBS.c.batch_id == bindparam("batch_id"))
    .order_by(JOBS.c.job_id)
)
