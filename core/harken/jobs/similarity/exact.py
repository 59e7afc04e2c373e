"""Exact search in memory, for SQLite: one matrix an owner and model, read once and kept current by what was added.

Rows that were deleted stay in the matrix, and are as good as not there: of what is found, a search asks the database
what there still is. Nothing is ever written under an id again.
"""

import math
import threading
from typing import Any

from sqlalchemy import Connection, bindparam, select

from harken.jobs.queries import JobFilter, conditions
from harken.jobs.similarity.sound_class import SoundClass
from harken.jobs.similarity.wanted import DIMENSIONS, Key, Neighbour, SoundFilter, Wanted
from harken.jobs.store.schema import EMBEDDINGS, JOBS, float32_bytes

MOST_VECTORS = 1_000_000  # of all owners, half a gigabyte: beyond it those go that were not searched for longest
LOADED_AT_ONCE = 10_000
FIRST_LOOK = 32  # neighbours whose jobs are looked at; each further look is at four times as many
DECIMALS = 6  # of a similarity
MOST_ASKED = 16_000  # ids in a statement: SQLite takes 32,766 parameters

_NOTHING: Any = ()  # before anything was read
# An array of each, since a filter runs through one or two of them: the name and numpy's type.
_FACTS = {
    "digest": "i8",
    "tempo_bpm": "f8",
    "duration_s": "f8",
    "key": "i1",
    "class": "i1",
}
_CLASSES = {kind.value: number for number, kind in enumerate(SoundClass, start=1)}
_COLUMNS = (
    "position",
    "job_id",
    "digest",
    "tempo_bpm",
    "duration_s",
    "tonic",
    "mode",
    "sound_class",
)
_NEW = (
    select(*(EMBEDDINGS.c[name] for name in _COLUMNS), EMBEDDINGS.c.vector)
    .where(
        EMBEDDINGS.c.owner == bindparam("owner"),
        EMBEDDINGS.c.model == bindparam("model"),
        EMBEDDINGS.c.position > bindparam("after"),
    )
    .order_by(EMBEDDINGS.c.position)
    .limit(LOADED_AT_ONCE)
)


class ExactSearch:
    """The search of one process."""

    def __init__(self, most_vectors: int = MOST_VECTORS) -> None:
        self._most = most_vectors
        self._matrices: dict[tuple[str, str], _Matrix] = {}
        self._lock = threading.Lock()

    def nearest(self, connection: Connection, wanted: Wanted, limit: int) -> list[Neighbour]:
        """The `limit` nearest, the likest first; fewer where there are no more."""
        matrix = self._matrix(wanted)
        seen = matrix.brought_up_to_date(connection, wanted)
        self._forget_beyond()
        found: list[Neighbour] = []
        take = FIRST_LOOK
        ranking = seen.ranking(wanted)
        while len(found) < limit:
            some = ranking.best(max(take, limit))
            there = _there(connection, [one.job_id for one in some], wanted)
            found += [one for one in some if one.job_id in there]
            if len(some) < max(take, limit):
                break
            take *= 4
        return found[:limit]

    def _matrix(self, wanted: Wanted) -> "_Matrix":
        key = (wanted.owner, wanted.model)
        with self._lock:
            matrix = self._matrices.pop(key, None) or _Matrix()
            self._matrices[key] = matrix  # to the end: what was not searched longest is first
            return matrix

    def _forget_beyond(self) -> None:
        with self._lock:
            while len(self._matrices) > 1 and self._total() > self._most:
                del self._matrices[next(iter(self._matrices))]

    def _total(self) -> int:
        return sum(matrix.count for matrix in self._matrices.values())


class _Matrix:
    """The vectors of an owner and model. What has been read never changes; more of it comes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._position = 0
        self.count = 0
        self._vectors: Any = _NOTHING
        self._facts: Any = _NOTHING
        self._job_ids: list[str] = []

    def brought_up_to_date(self, connection: Connection, wanted: Wanted) -> "_Seen":
        """All vectors, with those that were added since the last time."""
        with self._lock:
            while True:
                parameters = {
                    "owner": wanted.owner,
                    "model": wanted.model,
                    "after": self._position,
                }
                rows = connection.execute(_NEW, parameters).all()
                if rows:
                    self._add(rows)
                if len(rows) < LOADED_AT_ONCE:
                    return _Seen(self._vectors, self._facts, self._job_ids, self.count)

    def _add(self, rows: Any) -> None:
        import numpy as np  # only where it is searched: it takes a tenth of a second to import

        end = self.count + len(rows)
        if self._vectors is _NOTHING or end > self._vectors.shape[0]:
            # A copy: those who search meanwhile go on with the old one.
            size = max(1_024, 2 * end if end > LOADED_AT_ONCE else end)
            vectors = np.empty((size, DIMENSIONS), np.float32)
            facts = {name: np.empty(size, kind) for name, kind in _FACTS.items()}
            if self.count:
                vectors[: self.count] = self._vectors[: self.count]
                for name, values in facts.items():
                    values[: self.count] = self._facts[name][: self.count]
            self._vectors, self._facts = vectors, facts
        packed = b"".join(float32_bytes(row.vector) for row in rows)
        self._vectors[self.count : end] = np.frombuffer(packed, "<f4").reshape(-1, DIMENSIONS)
        of_rows = zip(*map(_facts_of, rows), strict=True)
        for name, values in zip(_FACTS, of_rows, strict=True):
            self._facts[name][self.count : end] = values
        self._job_ids += [row.job_id for row in rows]
        self._position = rows[-1].position
        self.count = end


class _Seen:
    """What there was at one moment."""

    def __init__(self, vectors: Any, facts: Any, job_ids: list[str], count: int) -> None:
        self._vectors: Any = vectors[:count]
        self._facts: Any = {name: values[:count] for name, values in dict(facts).items()}
        self._job_ids = job_ids

    def ranking(self, wanted: Wanted) -> "_Ranking":
        """What a filter lets through, to be had in order of likeness."""
        import numpy as np

        if not self._job_ids:
            return _Ranking(np.empty(0, np.float32), np.empty(0, np.intp), [], None)
        query = np.asarray(wanted.vector, np.float32)
        chosen = self._chosen(wanted.where)
        if chosen is None:
            likeness = self._vectors @ query
            places = np.arange(likeness.shape[0])
        else:
            places = np.flatnonzero(chosen)
            likeness = self._vectors[places] @ query
        # The same vector can be a hair more or less like another one, depending on the row it stands in.
        likeness = np.round(likeness, DECIMALS)
        return _Ranking(likeness, places, self._job_ids, self._facts["digest"])

    def _chosen(self, where: SoundFilter) -> Any:
        import numpy as np

        facts, masks = self._facts, []
        for name, (low, high) in (("tempo_bpm", where.tempo_bpm), ("duration_s", where.duration_s)):
            if low is not None:
                masks.append(facts[name] >= low)
            if high is not None:
                masks.append(facts[name] <= high)
        if where.keys:
            masks.append(np.isin(facts["key"], [key_number(key) for key in where.keys]))
        if where.classes:
            masks.append(np.isin(facts["class"], [_CLASSES[kind.value] for kind in where.classes]))
        return np.logical_and.reduce(masks) if masks else None


class _Ranking:
    """Neighbours in order, a portion at a time: all of them are not sorted."""

    def __init__(self, likeness: Any, places: Any, job_ids: list[str], digests: Any) -> None:
        self._likeness = likeness
        self._places = places
        self._job_ids = job_ids
        self._digests = digests
        self._given = 0

    def best(self, number: int) -> list[Neighbour]:
        """The next best ones."""
        import numpy as np

        end = min(self._given + number, self._likeness.shape[0])
        if end == self._given:
            return []
        likeness = self._likeness
        top = np.arange(likeness.shape[0])
        if end < likeness.shape[0]:
            # All that are as like as the last one: which of them come first is for their ids to say.
            least = np.partition(likeness, -end)[-end]
            top = np.flatnonzero(likeness >= least)
        neighbours = [
            Neighbour(
                job_id=self._job_ids[place],
                similarity=float(likeness[at]),
                digest=int(self._digests[place]),
            )
            for at, place in zip(top.tolist(), self._places[top].tolist(), strict=True)
        ]
        neighbours.sort(key=lambda neighbour: neighbour.order, reverse=True)
        portion = neighbours[self._given : end]
        self._given = end
        return portion


def key_number(key: Key) -> int:
    """1 to 24 of a key; 0 of none."""
    tonics = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
    if key[0] not in tonics:
        return 0
    return 1 + tonics.index(key[0]) + (12 if key[1] == "minor" else 0)


def _facts_of(row: Any) -> tuple[float, ...]:
    """What a sound is filtered by, in the order of _FACTS."""
    return (
        row.digest,
        math.nan if row.tempo_bpm is None else row.tempo_bpm,
        math.nan if row.duration_s is None else row.duration_s,
        key_number((row.tonic or "", row.mode or "")),
        _CLASSES.get(row.sound_class or "", 0),
    )


def _there(connection: Connection, job_ids: list[str], wanted: Wanted) -> set[str]:
    """Which of these jobs are still there and searched, with what is asked of jobs themselves."""
    where = JobFilter(labels=wanted.where.labels, batch_id=wanted.where.batch_id)
    asked = conditions(connection, where)
    there: set[str] = set()
    for start in range(0, len(job_ids), MOST_ASKED):
        some = job_ids[start : start + MOST_ASKED]
        query = (
            select(JOBS.c.job_id)
            .join(EMBEDDINGS, EMBEDDINGS.c.job_id == JOBS.c.job_id)
            .where(JOBS.c.job_id.in_(some), EMBEDDINGS.c.model == wanted.model)
        )
        there.update(connection.execute(query.where(*asked)).scalars())
    return there
