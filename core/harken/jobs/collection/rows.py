"""Reading a collection: of each job what is counted, taken out of its result by the database.

That is a few hundred bytes a row however long the result is, and reading it is the work of the database, not of Python.
`python -m benchmarks.collection --reading` measures it beside reading whole results.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from time import monotonic
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Text, cast, literal_column, select

from harken.jobs.collection.measures import PATHS
from harken.jobs.queries import JobFilter, conditions
from harken.jobs.store.schema import JOBS, RESULTS

FIRST_PAGE = 200  # rows
LEAST_PAGE = 100  # rows: what a page costs by itself, with however few rows, is not to be paid for each of them
LARGEST_PAGE = 5_000  # rows
PAGE_S = 0.05  # how long a page may take: for so long a transaction is open, and nobody is asked whether to go on


@dataclass(frozen=True, kw_only=True)
class Collection:
    """What a filter finds of an owner's jobs; with `before_id` of those submitted before another one."""

    owner: str
    where: JobFilter
    before_id: str | None = None

    def among(self, connection: Connection, query: Select[Any]) -> Select[Any]:
        """A query of jobs, of the collection alone."""
        query = query.where(JOBS.c.owner == self.owner, *conditions(connection, self.where))
        return query if self.before_id is None else query.where(JOBS.c.job_id < self.before_id)


def page(
    connection: Connection, collection: Collection, *, after_id: str | None, limit: int
) -> list[Row[Any]]:
    """At most `limit` jobs after one, in the order of submission.

    `found` is a JSON list with the values at `PATHS`, None without a result; `features` is JSON too.
    """
    columns: tuple[Any, ...] = (
        *(JOBS.c.job_id, JOBS.c.state, JOBS.c.error_kind, JOBS.c.error_reason),
        cast(JOBS.c.features, Text).label("features"),
        _found(connection.dialect.name).label("found"),
    )
    joined = RESULTS.c.job_id == JOBS.c.job_id
    if after_id is not None:
        # Said of both tables: a merge join would read the results from the first one on for each page.
        joined &= RESULTS.c.job_id > after_id
    query: Any = select(*columns).select_from(JOBS.outerjoin(RESULTS, joined))
    query = collection.among(connection, query)
    if after_id is not None:
        query = query.where(JOBS.c.job_id > after_id)
    return list(connection.execute(query.order_by(JOBS.c.job_id).limit(limit)))


def pages(read: Callable[[str | None, int], list[Row[Any]]]) -> Iterator[list[Row[Any]]]:
    """All rows, in pages that take about as long as each other; `read(after_id, limit)` reads some."""
    after_id, limit = None, FIRST_PAGE
    begun = monotonic()
    while rows := read(after_id, limit):
        took_s = monotonic() - begun
        yield rows
        after_id = rows[-1].job_id
        limit = next_limit(len(rows), took_s)
        begun = monotonic()


def next_limit(rows: int, took_s: float) -> int:
    """How many rows to read next, after so many that took so long."""
    # Twice as many at most: what comes may be longer than what came.
    wanted = min(int(rows * PAGE_S / max(took_s, 1e-6)), 2 * rows, LARGEST_PAGE)
    return max(wanted, LEAST_PAGE)


@cache
def _found(dialect: str) -> ColumnElement[str]:
    """The values at `PATHS` as a JSON list, the result read once for all of them."""
    if dialect == "sqlite":
        paths = ", ".join(f"'$.{path}'" for path in PATHS)
        return literal_column(f"json_extract(harken_results.result, {paths})", Text)
    groups = dict.fromkeys(path.partition(".")[0] for path in PATHS)
    values = ", ".join(_of_group(*path.partition(".")[::2]) for path in PATHS)
    record = ", ".join(f"{group} json" for group in groups)
    # An operator a path would read the whole result anew for each of them.
    return literal_column(
        f"(SELECT json_build_array({values})::text"
        f" FROM json_to_record(harken_results.result) AS g({record})"
        " WHERE harken_results.result IS NOT NULL)",
        Text,
    )


def _of_group(group: str, field: str) -> str:
    return f"g.{group} -> '{field}'" if field else f"g.{group}"
