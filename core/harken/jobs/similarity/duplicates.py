"""Finding the same recording under other jobs: the nearest vectors of like length, told apart by their fingerprints."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from harken.jobs.errors import NoEmbedding
from harken.jobs.similarity.fingerprint import (
    VERSION,
    Fingerprint,
    Match,
    fingerprint_of,
    is_same,
    lengths_like,
    match,
)
from harken.jobs.similarity.postgresql import sound_conditions
from harken.jobs.similarity.wanted import Search, SoundFilter, Wanted, as_unit
from harken.jobs.store.schema import EMBEDDINGS, JOBS

CANDIDATES = 30  # nearest vectors whose fingerprints are compared
LARGEST_GROUP = 100  # recordings; what is alike beyond that makes a group of its own
READ_AT_ONCE = 100  # rows of those that are looked at

_COLUMNS = (
    EMBEDDINGS.c.position,
    EMBEDDINGS.c.job_id,
    EMBEDDINGS.c.model,
    EMBEDDINGS.c.vector,
    EMBEDDINGS.c.digest,
    EMBEDDINGS.c.fingerprint,
    JOBS.c.source_kind,
    JOBS.c.source,
)
_ROWS = select(*_COLUMNS).join(JOBS, JOBS.c.job_id == EMBEDDINGS.c.job_id)

Source = tuple[str, str]
_Row = Any  # of _COLUMNS; a Row has the types of its columns in its own


@dataclass(frozen=True, kw_only=True)
class Member:
    """A job of a group: how like it is to the first one, and how it fits the one that it was found by."""

    job_id: str
    similarity: float
    match: Match


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What one look has found; the next one goes on after `position`, which is None at the end."""

    groups: tuple[tuple[Member, ...], ...]
    position: int | None
    looked_at: int
    without_fingerprint: int


_SAME = Match(offset_s=0.0, bit_error_rate=0.0, words=0, sureness=1.0)


class Duplicates:
    """The search for an owner's duplicates, in one transaction."""

    def __init__(
        self, connection: Connection, search: Search, owner: str, where: SoundFilter
    ) -> None:
        self._connection = connection
        self._search = search
        self._owner = owner
        self._where = where

    def of_job(self, job_id: str) -> tuple[Member, ...]:
        """The group of a job's sound, the job first; empty where there is no other. Raises NoEmbedding."""
        query = _ROWS.where(EMBEDDINGS.c.job_id == job_id, EMBEDDINGS.c.owner == self._owner)
        row = self._connection.execute(query).one_or_none()
        if row is None:
            why = "it has not ended, was not asked for one, is silent, or was made for a search."
            raise NoEmbedding(job_id, why)
        return self._members(row, self._recordings(row))

    def look(
        self, after: int, *, groups: int, within_s: float, clock: Callable[[], float]
    ) -> Looked:
        """Looks at sounds, the oldest first, until so many groups are found or the time is over."""
        give_up = clock() + within_s
        found: list[tuple[Member, ...]] = []
        looked = without = 0
        for row in self._after(after):
            looked += 1
            after = row.position
            if not row.fingerprint or row.fingerprint[0] != VERSION:
                without += 1
            else:
                members = self._group_that_begins_with(row)
                if members:
                    found.append(members)
            if len(found) >= groups or clock() > give_up:
                return Looked(
                    groups=tuple(found),
                    position=after,
                    looked_at=looked,
                    without_fingerprint=without,
                )
        return Looked(
            groups=tuple(found), position=None, looked_at=looked, without_fingerprint=without
        )

    def _after(self, position: int) -> Iterator[_Row]:
        while True:
            page = self._connection.execute(
                _ROWS.where(
                    EMBEDDINGS.c.owner == self._owner,
                    EMBEDDINGS.c.position > position,
                    *sound_conditions(self._connection, self._where),
                )
                .order_by(EMBEDDINGS.c.position)
                .limit(READ_AT_ONCE)
            ).all()
            yield from page
            if len(page) < READ_AT_ONCE:
                return
            position = page[-1].position

    def _group_that_begins_with(self, row: _Row) -> tuple[Member, ...]:
        """The group of a row, unless it was found with an older one."""
        recordings = self._recordings(row)
        oldest = min(one.position for rows, _ in recordings for one in rows)
        return self._members(row, recordings) if oldest == row.position else ()

    def _recordings(self, row: _Row) -> list[tuple[Sequence[_Row], Match]]:
        """The rows of all recordings that are the same as the row's, or as one that is."""
        known = {row.digest}
        found = [(self._of_digest(row.digest), _SAME)]
        for rows, _ in found:  # which grows meanwhile
            if len(found) >= LARGEST_GROUP:
                break
            for digest, fits in self._same_as(rows[0]):
                if digest not in known:
                    known.add(digest)
                    found.append((self._of_digest(digest), fits))
        return found

    def _of_digest(self, digest: int) -> Sequence[_Row]:
        """The rows about the same samples, the oldest first."""
        query = _ROWS.where(
            EMBEDDINGS.c.owner == self._owner,
            EMBEDDINGS.c.digest == digest,
            *sound_conditions(self._connection, self._where),
        )
        return self._connection.execute(query.order_by(EMBEDDINGS.c.position)).all()

    def _same_as(self, row: _Row) -> Iterator[tuple[int, Match]]:
        own = fingerprint_of(row.fingerprint) if row.fingerprint else None
        if own is None:
            return
        where = SoundFilter(
            labels=self._where.labels,
            batch_id=self._where.batch_id,
            duration_s=lengths_like(own.duration_s),
        )
        wanted = Wanted(owner=self._owner, model=row.model, vector=as_unit(row.vector), where=where)
        near = self._search.nearest(self._connection, wanted, CANDIDATES)
        others = {one.digest: one.job_id for one in near if one.digest != row.digest}
        query = select(EMBEDDINGS.c.digest, EMBEDDINGS.c.fingerprint)
        query = query.where(EMBEDDINGS.c.job_id.in_(others.values()))
        for other in self._connection.execute(query).all():
            theirs = fingerprint_of(other.fingerprint) if other.fingerprint else None
            fits = _fits(own, theirs)
            if fits is not None:
                yield other.digest, fits

    def _members(
        self, first: _Row, recordings: list[tuple[Sequence[_Row], Match]]
    ) -> tuple[Member, ...]:
        """One member for each source, under the newest job about it; empty for a single one."""
        members: dict[Source, tuple[int, Member]] = {}
        for rows, fits in recordings:
            for row in rows:
                likeness = sum(a * b for a, b in zip(first.vector, row.vector, strict=True))
                member = Member(job_id=row.job_id, similarity=likeness, match=fits)
                source = (row.source_kind, row.source)
                since = members[source][0] if source in members else row.position
                members[source] = (since, member)
        if len(members) < 2:
            return ()
        return tuple(member for _, member in sorted(members.values(), key=lambda pair: pair[0]))


def _fits(own: Fingerprint, other: Fingerprint | None) -> Match | None:
    fits = match(own, other) if other is not None else None
    return fits if fits is not None and is_same(fits) else None
