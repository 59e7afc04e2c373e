"""The rows of a batch's jobs, written with two statements however many they are.

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
)

from harken.jobs.job import NewJob
from harken.jobs.schema import JOBS, TRANSITIONS
from harken.jobs.state import JobState

_DIFFERENT = (
    "job_id",
    "request_id",
    "request_hash",
    "queue",
    "source_kind",
    "source",
    "features",
    "labels",
    "trace_parent",
)
_IN_COMMON = (
    "owner",
    "batch_id",
    "priority",
    "create_time",
    "schedule_deadline",
    "run_timeout_s",
    "trace_parent",
    "skip_cache",
)


@dataclass(frozen=True, kw_only=True)
class BatchRow:
    """A job that is to be written."""

    job_id: str
    new: NewJob
    request_hash: str


def alike(jobs: Sequence[NewJob]) -> bool:
    """Whether the jobs have in common what those of one request have."""
    common = {
        (job.priority, job.schedule_timeout, job.run_timeout, job.trace_parent, job.skip_cache)
        for job in jobs
    }
    return len(common) == 1


def insert_rows(
    connection: Connection,
    rows: Sequence[BatchRow],
    *,
    owner: str,
    batch_id: str,
    now: datetime,
) -> None:
    """Writes jobs that are `alike`, and their first transitions in the same order."""
    first = rows[0].new
    connection.execute(
        _insert_jobs(connection.dialect.name),
        {
            "rows": json.dumps([_different(row) for row in rows]),
            "owner": owner,
            "batch_id": batch_id,
            "priority": first.priority,
            "create_time": now,
            "schedule_deadline": now + first.schedule_timeout if first.schedule_timeout else None,
            "run_timeout_s": first.run_timeout.total_seconds() if first.run_timeout else None,
            "trace_parent": first.trace_parent,
            "skip_cache": first.skip_cache,
        },
    )
    connection.execute(_INSERT_TRANSITIONS, {"batch_id": batch_id})


def _different(row: BatchRow) -> list[Any]:
    new = row.new
    return [
        row.job_id.replace("-", ""),  # as SQLite keeps it, and PostgreSQL takes it too
        new.request_id.replace("-", "") if new.request_id else None,
        row.request_hash,
        new.queue,
        new.source.kind,
        new.source.value,
        new.features,
        new.labels,
        new.trace_parent,
    ]


@cache
def _insert_jobs(dialect: str) -> Insert:
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
    return insert(JOBS).from_select([*values], select(*values.values()))


_FIRST_TRANSITION = {
    "job_id": JOBS.c.job_id,
    "batch_id": JOBS.c.batch_id,
    "revision": JOBS.c.revision,
    "attempt": JOBS.c.attempt,
    "after": JOBS.c.state,
    "time": JOBS.c.create_time,
}
_INSERT_TRANSITIONS = insert(TRANSITIONS).from_select(
    [*_FIRST_TRANSITION],
    select(*_FIRST_TRANSITION.values())
    .where(JOBS.c.batch_id == bindparam("batch_id"))
    .order_by(JOBS.c.job_id),
)
