"""How large a collection is, and when it came about."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from harken.jobs.collection.rows import Collection
from harken.jobs.store.schema import JOBS


@dataclass(frozen=True, kw_only=True)
class Extent:
    """How many jobs there are, and when the first and the last of them ended."""

    jobs: int
    first_end_time: datetime | None
    last_end_time: datetime | None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values under the contract's names; what is unset is left out."""
        times = {"first_end_time": self.first_end_time, "last_end_time": self.last_end_time}
        return {name: _text(time) for name, time in times.items() if time is not None}


def extent_of(connection: Connection, collection: Collection) -> Extent:
    """How large a collection is."""
    figures: tuple[Any, ...] = (
        func.count().label("jobs"),
        func.min(JOBS.c.end_time).label("first"),
        func.max(JOBS.c.end_time).label("last"),
    )
    query: Any = select(*figures).select_from(JOBS)
    row = connection.execute(collection.among(connection, query)).one()
    return Extent(jobs=row.jobs, first_end_time=row.first, last_end_time=row.last)


def has_more_than(connection: Connection, collection: Collection, jobs: int) -> bool:
    """Whether there are more jobs than so many, found out without counting all of them."""
    query = collection.among(connection, select(JOBS.c.job_id)).offset(jobs).limit(1)
    return connection.execute(query).first() is not None


def _text(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")
