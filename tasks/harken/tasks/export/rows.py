"""The rows of an export, read in pages of about the same size in bytes, however long the results are."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Row

from harken.tasks.export.columns import Column

# The text of a page's results. As Python's values it takes some ten times as much memory.
PAGE_BYTES = 4_000_000
FIRST_PAGE = 100  # rows; results of long files have some 200 kB each
LARGEST_PAGE = 5_000  # rows, for which a transaction stays open for some 50 ms


@dataclass(frozen=True, kw_only=True)
class Page:
    """Rows of jobs and their results as values, one of each for each row; a job without a result has an empty one."""

    jobs: list[Row[Any]]
    results: list[dict[str, Any]]

    def values(self, column: Column) -> list[Any]:
        """The values of a column; None for what a job or a result has not."""
        if not column.group:
            return [getattr(job, column.field) for job in self.jobs]
        values: list[Any] = self.results
        for name in column.name.split("."):
            values = [None if value is None else value.get(name) for value in values]
        return values

    def __len__(self) -> int:
        return len(self.jobs)


def pages(read: Callable[[str | None, int], list[Row[Any]]]) -> Iterator[Page]:
    """All rows, in pages; `read(after_id, limit)` reads some."""
    after_id, limit = None, FIRST_PAGE
    while jobs := read(after_id, limit):
        after_id = jobs[-1].job_id
        size = sum(len(job.result or "") for job in jobs)
        yield Page(
            jobs=jobs, results=[orjson.loads(job.result) if job.result else {} for job in jobs]
        )
        limit = next_limit(len(jobs), size)


def next_limit(rows: int, size: int) -> int:
    """How many rows to read next, after so many whose results had `size` characters."""
    wanted = rows * PAGE_BYTES // max(size, 1)
    # Twice as many at most: what comes may be longer than what came.
    return max(1, min(wanted, 2 * rows, LARGEST_PAGE))


def json_text(value: Any) -> str:
    """A value as JSON, short and with its own characters; times end in Z."""
    return orjson.dumps(value, option=orjson.OPT_UTC_Z).decode()
