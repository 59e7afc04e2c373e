"""Search in PostgreSQL: along the HNSW index where there is one, else by looking at all vectors."""

import time
from typing import Any

from sqlalchemy import (
    ARRAY,
    REAL,
    Connection,
    Double,
    Text,
    bindparam,
    cast,
    column,
    func,
    select,
    text,
    tuple_,
)
from sqlalchemy.types import UserDefinedType

from harken.jobs.queries import JobFilter, conditions
from harken.jobs.similarity import vector_index
from harken.jobs.similarity.wanted import DIMENSIONS, Neighbour, SoundFilter, Wanted
from harken.jobs.store.schema import EMBEDDINGS, JOBS

# Of so few vectors each is looked at: exact, and no slower than the index, which knows no owners.
FEW = 5_000
# The index's own candidates: more find more of the true neighbours, and take longer.
LEAST_CANDIDATES = 200
CANDIDATES_A_HIT = 10
MOST_CANDIDATES = 1_000  # pgvector's own limit
# Vectors that the index goes through for neighbours that a filter lets through; then all that it lets through are
# looked at.
MOST_SCANNED = 20_000
KNOWN_FOR_S = 60.0  # whether there is an index, and whether an owner has few vectors


class _Vector(UserDefinedType[str]):
    """A type of pgvector's, which reads a vector as text."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: Any) -> str:
        """The type in SQL."""
        return f"{self.name}({DIMENSIONS})"


_FULL, _HALF = _Vector("vector"), _Vector("halfvec")
# Negative, so that the nearest come first along an index.
_NEGATIVE = "<#>"
_AS_TEXT = bindparam("wanted", type_=Text)
_WITH_PGVECTOR = -cast(EMBEDDINGS.c.vector, _FULL).op(_NEGATIVE, return_type=Double())(
    cast(_AS_TEXT, _FULL)
)
_ALONG_INDEX = cast(EMBEDDINGS.c.vector, _HALF).op(_NEGATIVE, return_type=Double())(
    cast(_AS_TEXT, _HALF)
)
_PAIRS = (
    func.unnest(EMBEDDINGS.c.vector, bindparam("numbers", type_=ARRAY(REAL)))
    .table_valued(column("one", REAL), column("other", REAL), name="pair")
    .render_derived()
)
_WITHOUT = select(func.sum(_PAIRS.c.one * _PAIRS.c.other)).select_from(_PAIRS).scalar_subquery()
_SETTINGS = text(
    "SELECT set_config('hnsw.ef_search', :candidates, true),"
    " set_config('hnsw.iterative_scan', 'relaxed_order', true),"
    " set_config('hnsw.max_scan_tuples', :scanned, true)"
)


class PostgresqlSearch:
    """The search of one process."""

    def __init__(self) -> None:
        self._known: dict[Any, tuple[bool, float]] = {}

    def nearest(self, connection: Connection, wanted: Wanted, limit: int) -> list[Neighbour]:
        """The `limit` nearest, the likest first; fewer where there are no more."""
        if self._indexed(connection) and not self._few(connection, wanted):
            found = _along_index(connection, wanted, limit)
            if len(found) >= limit:
                return found
        extension = self._remember("extension", lambda: vector_index.has_extension(connection))
        return _exact(connection, wanted, limit, pgvector=extension)

    def _indexed(self, connection: Connection) -> bool:
        return self._remember("index", lambda: vector_index.stands(connection))

    def _few(self, connection: Connection, wanted: Wanted) -> bool:
        def count() -> bool:
            some = (
                select(EMBEDDINGS.c.position)
                .where(EMBEDDINGS.c.owner == wanted.owner, EMBEDDINGS.c.model == wanted.model)
                .limit(FEW + 1)
                .subquery()
            )
            found = connection.execute(select(func.count()).select_from(some)).scalar_one()
            return found <= FEW

        return self._remember((wanted.owner, wanted.model), count)

    def _remember(self, name: Any, ask: Any) -> bool:
        now = time.monotonic()
        value, until = self._known.get(name, (False, 0.0))
        if now < until:
            return value
        value = bool(ask())
        if len(self._known) > 10_000:
            self._known.clear()
        self._known[name] = (value, now + KNOWN_FOR_S)
        return value


def _along_index(connection: Connection, wanted: Wanted, limit: int) -> list[Neighbour]:
    candidates = min(max(LEAST_CANDIDATES, CANDIDATES_A_HIT * limit), MOST_CANDIDATES)
    settings = {"candidates": str(candidates), "scanned": str(MOST_SCANNED)}
    connection.execute(_SETTINGS, settings)
    query = _of(connection, wanted, _WITH_PGVECTOR)
    query = query.order_by(_ALONG_INDEX).limit(limit)
    return _sorted(connection, query, {"wanted": _text(wanted)})


def _exact(
    connection: Connection, wanted: Wanted, limit: int, *, pgvector: bool
) -> list[Neighbour]:
    similarity = _WITH_PGVECTOR if pgvector else _WITHOUT
    query = _of(connection, wanted, similarity)
    # Not by the expression of the index, along which it would go again.
    query = query.order_by(similarity.desc(), EMBEDDINGS.c.job_id.desc()).limit(limit)
    numbers = {"wanted": _text(wanted)} if pgvector else {"numbers": list(wanted.vector)}
    return _sorted(connection, query, numbers)


def _of(connection: Connection, wanted: Wanted, similarity: Any) -> Any:
    query = select(EMBEDDINGS.c.job_id, EMBEDDINGS.c.digest, similarity.label("similarity"))
    query = query.where(EMBEDDINGS.c.owner == wanted.owner, EMBEDDINGS.c.model == wanted.model)
    return query.where(*sound_conditions(connection, wanted.where))


def sound_conditions(connection: Connection, where: SoundFilter) -> list[Any]:
    """What holds for the rows of the sounds that a filter wants."""
    wanted: list[Any] = []
    for bounded, (low, high) in (
        (EMBEDDINGS.c.tempo_bpm, where.tempo_bpm),
        (EMBEDDINGS.c.duration_s, where.duration_s),
    ):
        if low is not None:
            wanted.append(bounded >= low)
        if high is not None:
            wanted.append(bounded <= high)
    if where.keys:
        wanted.append(tuple_(EMBEDDINGS.c.tonic, EMBEDDINGS.c.mode).in_(sorted(where.keys)))
    if where.classes:
        wanted.append(EMBEDDINGS.c.sound_class.in_(sorted(where.classes)))
    if where.of_jobs:
        of_jobs = JobFilter(labels=where.labels, batch_id=where.batch_id)
        theirs = select(JOBS.c.job_id).where(*conditions(connection, of_jobs))
        # By itself, since those who ask may have joined the jobs too.
        wanted.append(EMBEDDINGS.c.job_id.in_(theirs.correlate(None)))
    return wanted


def _sorted(connection: Connection, query: Any, numbers: dict[str, Any]) -> list[Neighbour]:
    found = [
        Neighbour(job_id=row.job_id, similarity=float(row.similarity), digest=row.digest)
        for row in connection.execute(query, numbers)
    ]
    return sorted(found, key=lambda neighbour: neighbour.order, reverse=True)


def _text(wanted: Wanted) -> str:
    """The vector as pgvector reads it."""
    return "[" + ",".join(map(repr, wanted.vector)) + "]"
