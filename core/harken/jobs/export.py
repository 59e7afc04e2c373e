"""Reading the jobs of an export, and their results, page by page: no transaction lasts longer than a page."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from sqlalchemy import Connection, Row, Select, Text, cast, func, select

from harken.jobs.filter_spec import filter_from_spec, filter_to_spec
from harken.jobs.queries import JobFilter, conditions
from harken.jobs.store.schema import JOBS, RESULTS

JOB_FIELDS = (
    "job_id",
    "batch_id",
    "state",
    "source_kind",
    "source",
    "filename",
    "features",
    "labels",
    "attempt",
    "error_kind",
    "error_reason",
    "error_message",
    "create_time",
    "start_time",
    "end_time",
)
# The result as the text it is kept as: whoever wants values of it reads them once.
_RESULT = cast(RESULTS.c.result, Text).label("result")


class ExportFormat(StrEnum):
    """What the file of an export is; the values are the endings of its name."""

    PARQUET = "parquet"
    CSV = "csv"
    JSONL = "jsonl"


@dataclass(frozen=True, kw_only=True)
class Export:
    """What is to be exported, and as what."""

    format: ExportFormat
    where: JobFilter

    def to_spec(self) -> dict[str, Any]:
        """Plain JSON values, for the job's `spec`."""
        return {"format": self.format.value, **filter_to_spec(self.where)}

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> Self:
        """The export that a job's `spec` describes."""
        return cls(format=ExportFormat(spec["format"]), where=filter_from_spec(spec))


def count(connection: Connection, where: JobFilter, *, owner: str, before_id: str) -> int:
    """How many jobs a filter finds of those submitted before another one."""
    query = _of(connection, select(func.count()), where, owner=owner, before_id=before_id)
    return connection.execute(query).scalar_one()


def page(
    connection: Connection,
    where: JobFilter,
    *,
    owner: str,
    before_id: str,
    after_id: str | None,
    limit: int,
) -> list[Row[Any]]:
    """At most `limit` of these jobs after another one, in the order of submission: `JOB_FIELDS` and `result`."""
    columns = (JOBS.c[name] for name in JOB_FIELDS)
    query = _of(connection, select(*columns, _RESULT), where, owner=owner, before_id=before_id)
    joined = RESULTS.c.job_id == JOBS.c.job_id
    if after_id is not None:
        # Said of both tables: a merge join would read the results from the first one on for each page.
        joined &= RESULTS.c.job_id > after_id
        query = query.where(JOBS.c.job_id > after_id)
    query = query.select_from(JOBS.outerjoin(RESULTS, joined))
    return list(connection.execute(query.order_by(JOBS.c.job_id).limit(limit)))


def _of(
    connection: Connection, query: Select[Any], where: JobFilter, *, owner: str, before_id: str
) -> Select[Any]:
    return query.where(
        JOBS.c.owner == owner, JOBS.c.job_id < before_id, *conditions(connection, where)
    )
