"""All that is held of an owner, table by table: how its rows are found, and what of them is handed out.

A table that is missing here fails a test.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    Text,
    cast,
    literal,
    select,
    tuple_,
)

from harken.jobs.store.schema import (
    ACTIONS,
    ARTIFACTS,
    BATCHES,
    BLOBS,
    DISMISSALS,
    EMBEDDINGS,
    JOBS,
    KEYS,
    RESULTS,
    TRANSITIONS,
    UPLOAD_PARTS,
    UPLOADS,
)


@dataclass(frozen=True, kw_only=True)
class Holding:
    """The rows of a table that are held of an owner.

    Rows of tables without an `owner` belong to the job that they name. `secret` columns are never handed out. With
    `has_bytes` the storage keeps something under each row's `key`.
    """

    name: str
    table: Table
    secret: frozenset[str] = frozenset()
    has_bytes: bool = False

    @property
    def of_jobs(self) -> bool:
        """Whether its rows belong to jobs."""
        return "owner" not in self.table.c

    @property
    def order(self) -> tuple[Column[Any], ...]:
        """What tells an owner's rows apart."""
        if self.table is TRANSITIONS:
            return (TRANSITIONS.c.job_id, TRANSITIONS.c.revision)  # by which there is an index
        return tuple(column for column in self.table.primary_key if column.name != "owner")

    def of(self, owner: str, *columns: ColumnElement[Any]) -> Select[Any]:
        """These columns of the owner's rows."""
        query = select(*columns)
        if self.of_jobs:
            query = query.join(JOBS, JOBS.c.job_id == self.table.c.job_id)
            return query.where(JOBS.c.owner == owner)
        return query.where(self.table.c.owner == owner)


# In the order in which they are erased: what refers to others first.
HOLDINGS: tuple[Holding, ...] = (
    # Before all, so that nothing new comes.
    Holding(name="keys", table=KEYS, secret=frozenset({"hash"})),
    Holding(name="artifacts", table=ARTIFACTS),
    Holding(name="upload_parts", table=UPLOAD_PARTS, has_bytes=True),
    Holding(name="uploads", table=UPLOADS),
    Holding(name="blobs", table=BLOBS, has_bytes=True),
    Holding(name="actions", table=ACTIONS),
    Holding(name="embeddings", table=EMBEDDINGS),
    Holding(name="results", table=RESULTS),
    Holding(name="transitions", table=TRANSITIONS),
    Holding(name="dismissals", table=DISMISSALS),
    Holding(name="jobs", table=JOBS),
    Holding(name="batches", table=BATCHES),
)


def columns_of(holding: Holding) -> Iterator[ColumnElement[Any]]:
    """The columns that are handed out; JSON as the text it is kept as."""
    for column in holding.table.columns:
        if column.name not in holding.secret:
            as_text = isinstance(column.type, JSON)
            yield cast(column, Text).label(column.name) if as_text else column


def page(
    connection: Connection, holding: Holding, owner: str, *, after: Sequence[Any] | None, limit: int
) -> list[Row[Any]]:
    """At most `limit` of an owner's rows, in order, those after a row with this `order`."""
    query = holding.of(owner, *columns_of(holding)).order_by(*holding.order).limit(limit)
    if after is not None:
        query = query.where(tuple_(*holding.order) > tuple_(*_bound(holding, after)))
    return list(connection.execute(query))


def _bound(holding: Holding, after: Sequence[Any]) -> Iterator[ColumnElement[Any]]:
    for column, value in zip(holding.order, after, strict=True):
        yield literal(value, column.type)
