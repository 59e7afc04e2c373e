"""The rows of new jobs, written with one statement however many they are.

What differs between the jobs goes as one JSON array, which the database takes apart; the rest goes once.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Insert,
    Text,
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

_DIFFERENT = (
    "job_id",
    "request_id",
    "request_hash",
    "retry_of",
    "queue",
    "source_kind",
    "source",
    "features",
    "labels",
    "trace_parent",
    "spec",
    "filename",
)
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


@dataclass(frozen=True, kw_only=True)
class JobRow:
    """A job that is to be written."""

    job_id: str
    owner: str
    batch_id: str | None
    new: NewJob
    request_hash: str
    create_time: datetime


def insert_rows(
    connection: Connection, rows: Sequence[JobRow], *, unless_made: bool = False
) -> int:
    """Writes jobs; returns how many.

    With `unless_made` those are left out whose request_id has made a job before, otherwise they raise IntegrityError.
    """
    alike: dict[tuple[Any, ...], list[JobRow]] = {}
    for row in rows:
        alike.setdefault(_in_common(row), []).append(row)
    statement = _insert_rows(connection.dialect.name, unless_made)
    statement = statement.execution_options(preserve_rowcount=True)
    written = 0
    for common, some in alike.items():
        values = dict(zip(_IN_COMMON, common, strict=True))
        different = json.dumps([_different(row) for row in some])
        written += connection.execute(statement, {**values, "rows": different}).rowcount
    return written


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


def _different(row: JobRow) -> list[Any]:
    new = row.new
    return [
        _bare(row.job_id),
        _bare(new.request_id),
        row.request_hash,
        _bare(new.retry_of),
        new.queue,
        new.source.kind,
        new.source.value,
        new.features,
        dict(new.labels),
        new.trace_parent,
        new.spec,
        new.filename,
    ]


def _bare(identifier: str | None) -> str | None:
    """Without hyphens, as SQLite keeps it; PostgreSQL takes it too."""
    return identifier.replace("-", "") if identifier else None


@cache
def _insert_rows(dialect: str, unless_made: bool) -> Insert:
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

    values = {
        **{name: value(place, name) for place, name in enumerate(_DIFFERENT)},
        **{name: bindparam(name, type_=JOBS.c[name].type) for name in _IN_COMMON},
        "state": literal(JobState.QUEUED.value),
        "revision": literal(1),
    }
    found = select(*values.values())
    if not unless_made:
        return insert(JOBS).from_select([*values], found)
    if dialect == "sqlite":
        found = found.where(true())  # else it reads ON CONFLICT as part of the query
        made = sqlite.insert(JOBS).from_select([*values], found)
    else:
        made = postgresql.insert(JOBS).from_select([*values], found)
    return made.on_conflict_do_nothing(index_elements=[JOBS.c.owner, JOBS.c.request_id])


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
