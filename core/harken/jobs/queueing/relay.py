"""Which jobs go to the broker next: the most urgent, fairly between owners, a small window ahead of the workers.

What is read does not grow with the jobs that wait: from the index of the outbox, the levels (queue and priority) that
have any, of a level its owners, and of each owner the oldest few. Messages of lower priority do not count against the
window of a level, since the broker hands out the more urgent first.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil, inf
from typing import Any

from sqlalchemy import Connection, TextClause, func, select, text, tuple_, union_all

from harken.jobs.job import JobKind
from harken.jobs.owners.quotas import NO_QUOTA, Quota
from harken.jobs.queueing.fairness import choose
from harken.jobs.queueing.outbox import Outgoing
from harken.jobs.queueing.window import WITHOUT_WORKERS, window
from harken.jobs.queueing.workers import LOST_AFTER
from harken.jobs.store.schema import HELD_BY_WORKERS, JOBS, OUTBOX, PUBLISHED, WORKERS

AT_ONCE = 500  # jobs, between two looks at what is more urgent
MOST_LEVELS = 1_000  # far more than there are; without a parameter PostgreSQL would never plan anew
MOST_OWNERS = (
    100  # of a level in one look; with more of them, the next look goes on where this one ended
)

# Skip scans of the index of the outbox: each step is one look-up of the next group's first row.
_LEVELS = text(
    f"""
    WITH RECURSIVE level (queue, priority) AS (
        SELECT queue, priority FROM (
            SELECT queue, priority FROM harken_jobs WHERE {OUTBOX.text}
            ORDER BY queue DESC, priority DESC LIMIT 1) AS first
        UNION ALL
        SELECT job.queue, job.priority FROM level JOIN harken_jobs AS job ON job.job_id = coalesce(
            (SELECT job_id FROM harken_jobs AS next WHERE {OUTBOX.text}
                AND next.queue = level.queue AND next.priority < level.priority
                ORDER BY next.priority DESC LIMIT 1),
            (SELECT job_id FROM harken_jobs AS next WHERE {OUTBOX.text}
                AND next.queue < level.queue
                ORDER BY next.queue DESC, next.priority DESC LIMIT 1)))
    SELECT queue, priority FROM level LIMIT :limit
    """
)


def _owners(after: str) -> TextClause:
    return text(
        f"""
        WITH RECURSIVE turn (owner) AS (
            SELECT owner FROM (
                SELECT owner FROM harken_jobs WHERE {OUTBOX.text}
                AND queue = :queue AND priority = :priority {after}
                ORDER BY owner DESC LIMIT 1) AS first
            UNION ALL
            SELECT job.owner FROM turn JOIN harken_jobs AS job ON job.job_id = (
                SELECT job_id FROM harken_jobs AS next WHERE {OUTBOX.text}
                AND queue = :queue AND priority = :priority AND next.owner < turn.owner
                ORDER BY next.owner DESC LIMIT 1))
        SELECT owner FROM turn LIMIT :limit
        """
    )


# Right after a flood PostgreSQL's statistics and the plans it keeps are those of before, by which it would rather sort
# all that waits than follow the index of the outbox.
_FOLLOW_INDEXES = text(
    "SELECT set_config('enable_sort', 'off', true), set_config('enable_seqscan', 'off', true),"
    " set_config('enable_bitmapscan', 'off', true), set_config('plan_cache_mode', 'force_custom_plan', true)"
)
_AS_BEFORE = text(
    "SELECT set_config('enable_sort', 'on', true), set_config('enable_seqscan', 'on', true),"
    " set_config('enable_bitmapscan', 'on', true), set_config('plan_cache_mode', 'auto', true)"
)
# An owner's jobs of a level are a range of these, in their order: asked for so, PostgreSQL has one index for them. By
# equals and in the order of ids, it may take the index of all ids, and walk past all that have ended.
_GROUP = tuple_(JOBS.c.queue, JOBS.c.priority, JOBS.c.owner)
_OWNERS = _owners("")
_OWNERS_AFTER = _owners("AND owner < :after")


@dataclass(frozen=True, kw_only=True)
class Level:
    """Jobs that are even in urgency."""

    queue: str
    priority: int


@dataclass(frozen=True, kw_only=True)
class Round:
    """What a look came to: the jobs to publish, in order, and what the next look has to know."""

    jobs: tuple[Outgoing, ...] = ()
    # Whether another look at once may find more; else the windows are full, or nothing waits.
    more: bool = False
    # Of levels with more owners than one look takes in: the owner after whom the next look goes on.
    turns: Mapping[Level, str] = field(default_factory=dict[Level, str])
    # Messages of each queue that no worker has taken yet; None when nothing waits, and they were not counted.
    published: Mapping[str, int] | None = None


@dataclass(frozen=True, kw_only=True)
class _InFlight:
    """What the workers and the broker have."""

    slots: Mapping[str, int]
    free: Mapping[str, int]
    published: Mapping[Level, int]
    by_owner: Mapping[str, Mapping[str, int]]  # of a queue

    def of_owners(self) -> Counter[str]:
        """How many jobs of each owner, of all queues."""
        total: Counter[str] = Counter()
        for owners in self.by_owner.values():
            total.update(owners)
        return total

    def room(self, level: Level, per_second: float, without_workers: int) -> int:
        """How many messages of a level there may be more."""
        slots = self.slots.get(level.queue, 0)
        free = self.free.get(level.queue, 0)
        width = window(slots=slots, free=free, per_second=per_second) if slots else without_workers
        return width - sum(
            number
            for other, number in self.published.items()
            if other.queue == level.queue and other.priority >= level.priority
        )


class _Free:
    """How many more jobs of each owner may run, by a quota."""

    def __init__(self, quota: Quota, in_flight: Mapping[str, int]) -> None:
        self._quota = quota
        self._in_flight = Counter(in_flight)

    def of(self, owner: str) -> int | None:
        """How many more; None is any number."""
        left = self._quota.left(owner, self._in_flight[owner])
        return None if left == inf else int(left)

    def take(
        self, candidates: Mapping[str, Sequence[Outgoing]], chosen: Collection[Outgoing]
    ) -> None:
        """Counts those of the candidates that were chosen."""
        ids = {job.job_id for job in chosen}
        for owner, some in candidates.items():
            self._in_flight[owner] += sum(job.job_id in ids for job in some)


def next_jobs(
    connection: Connection,
    now: datetime,
    *,
    weights: Mapping[str, float] | None = None,
    paces: Mapping[str, float] | None = None,
    turns: Mapping[Level, str] | None = None,
    limit: int = AT_ONCE,
    without_workers: int = WITHOUT_WORKERS,
    running: Quota = NO_QUOTA,
) -> Round:
    """At most `limit` jobs to publish now, the most urgent of each queue first.

    `weights` are the owners' shares, 1 when unnamed; `paces` the jobs a second that each queue's workers take; `turns`
    what the last look returned; `without_workers` the window of a queue that no known worker takes from. Of each
    owner's jobs no more are with the broker and the workers than may run by the quota `running`: there is no other
    way to a worker.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_FOLLOW_INDEXES)
    levels = _levels(connection)
    if not levels:
        return Round()
    in_flight = _in_flight(connection, now)
    published = {level.queue: 0 for level in in_flight.published}
    for level, number in in_flight.published.items():
        published[level.queue] += number
    chosen: list[Outgoing] = []
    next_turns: dict[Level, str] = {}
    taken: dict[str, int] = {}
    held_up: set[str] = set()
    free = _Free(running, in_flight.of_owners() if running else {})
    more = False
    for level in sorted(levels, key=lambda level: -level.priority):
        per_second = (paces or {}).get(level.queue, 0.0)
        room = in_flight.room(level, per_second, without_workers) - taken.get(level.queue, 0)
        room = min(room, limit - len(chosen))
        if room <= 0 or level.queue in held_up:
            continue
        owners, turn = _turn(connection, level, (turns or {}).get(level))
        if turn is not None:
            next_turns[level] = turn
        each = min(ceil(2 * room / len(owners)), room) if owners else 0
        candidates = _candidates(connection, level, owners, each)
        full = {owner for owner, some in candidates.items() if len(some) == each}
        if running:
            candidates = {owner: some[: free.of(owner)] for owner, some in candidates.items()}
            full = {owner for owner in full if len(candidates[owner]) == each}
        jobs = choose(
            candidates,
            in_flight=in_flight.by_owner.get(level.queue, {}),
            weights=weights or {},
            room=room,
        )
        if turn is not None or full:
            held_up.add(level.queue)  # there may be more of this level, which goes before the next
            more |= len(jobs) < room
        chosen += jobs
        if running:
            free.take(candidates, jobs)
        taken[level.queue] = taken.get(level.queue, 0) + len(jobs)
    more |= len(chosen) == limit
    return Round(jobs=tuple(chosen), more=more, turns=next_turns, published=published)


def waiting_of(connection: Connection, owner: str, *, most: int) -> int:
    """How many jobs of an owner wait, counted to `most`; retries that wait for their time do not count."""
    postgresql = connection.dialect.name == "postgresql"
    if postgresql:
        connection.execute(_FOLLOW_INDEXES)
    # Of all owners: no more than the windows let through, and by its own index.
    published = connection.execute(_counted(PUBLISHED, "queue", "priority", "owner"))
    number = sum(row.number for row in published if row.owner == owner)
    for level in _levels(connection):
        if number >= most:
            break
        of = tuple_(level.queue, level.priority, owner)
        of_level = (
            select(JOBS.c.queue)
            .where(OUTBOX, _GROUP.between(of, of))
            .order_by(*_GROUP, JOBS.c.job_id)
            .limit(most - number)
        )
        counted = select(func.count()).select_from(of_level.subquery())
        number += connection.execute(counted).scalar_one()
    if postgresql:
        connection.execute(_AS_BEFORE)
    return number


def _levels(connection: Connection) -> list[Level]:
    """The levels of the outbox that have jobs."""
    return [
        Level(queue=row.queue, priority=row.priority)
        for row in connection.execute(_LEVELS, {"limit": MOST_LEVELS})
    ]


def _turn(
    connection: Connection, level: Level, after: str | None
) -> tuple[Sequence[str], str | None]:
    """The owners of a level that are looked at now, and the last of them where there are more."""
    of_level = {"queue": level.queue, "priority": level.priority, "limit": MOST_OWNERS}
    owners: list[str] = []
    if after is not None:
        owners += connection.execute(_OWNERS_AFTER, {**of_level, "after": after}).scalars()
    if len(owners) < MOST_OWNERS:
        from_the_top = connection.execute(_OWNERS, of_level).scalars().all()
        owners += [owner for owner in from_the_top if owner not in owners]
    owners = owners[:MOST_OWNERS]
    return owners, owners[-1] if len(owners) == MOST_OWNERS else None


def _candidates(
    connection: Connection, level: Level, owners: Sequence[str], each: int
) -> dict[str, list[Outgoing]]:
    """The oldest `each` jobs of each owner, the owner with the oldest job of all first."""
    if not owners:
        return {}
    oldest = [
        select(JOBS.c.job_id, JOBS.c.attempt, JOBS.c.owner, JOBS.c.trace_parent, JOBS.c.kind)
        .where(OUTBOX, _GROUP.between(of, of))
        .order_by(*_GROUP, JOBS.c.job_id)
        .limit(each)
        .subquery()
        for of in (tuple_(level.queue, level.priority, owner) for owner in owners)
    ]
    query = union_all(*(select(subquery) for subquery in oldest))
    found: dict[str, list[Outgoing]] = {}
    for row in connection.execute(query):
        job = Outgoing(
            job_id=row.job_id,
            attempt=row.attempt,
            queue=level.queue,
            priority=level.priority,
            trace_parent=row.trace_parent,
            kind=JobKind(row.kind),
        )
        found.setdefault(row.owner, []).append(job)
    return dict(sorted(found.items(), key=lambda item: item[1][0].job_id))


def _in_flight(connection: Connection, now: datetime) -> _InFlight:
    by_owner: dict[str, dict[str, int]] = {}
    held: dict[str, int] = {}
    published: dict[Level, int] = {}

    def count(row: Any) -> None:
        owners = by_owner.setdefault(row.queue, {})
        owners[row.owner] = owners.get(row.owner, 0) + row.number

    for row in connection.execute(_counted(HELD_BY_WORKERS, "worker", "queue", "owner")):
        held[row.worker] = held.get(row.worker, 0) + row.number
        count(row)
    for row in connection.execute(_counted(PUBLISHED, "queue", "priority", "owner")):
        level = Level(queue=row.queue, priority=row.priority)
        published[level] = published.get(level, 0) + row.number
        count(row)
    slots: dict[str, int] = {}
    free: dict[str, int] = {}
    for queue, name, concurrency in _takers(connection, now):
        slots[queue] = slots.get(queue, 0) + concurrency
        free[queue] = free.get(queue, 0) + max(concurrency - held.get(name, 0), 0)
    return _InFlight(slots=slots, free=free, published=published, by_owner=by_owner)


def _counted(where: TextClause, *columns: str) -> Any:
    groups = [JOBS.c[name] for name in columns]
    return select(*groups, func.count().label("number")).where(where).group_by(*groups)


def _takers(connection: Connection, now: datetime) -> Iterator[tuple[str, str, int]]:
    """Queue, name and slots of each worker that takes jobs."""
    online = select(WORKERS.c.name, WORKERS.c.queues, WORKERS.c.concurrency).where(
        WORKERS.c.heartbeat_time >= now - LOST_AFTER, WORKERS.c.stopping.is_(False)
    )
    for row in connection.execute(online):
        for queue in row.queues:
            yield queue, row.name, row.concurrency
