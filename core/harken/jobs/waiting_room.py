"""How many jobs of each owner may still join those that wait, as one writer knows it without counting each time.

What is free is counted now and then and handed out in parts, which shrink as the limit comes near: exact for the one
writer of SQLite; of several processes each may let in the part that it holds, for a second at most.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, TextClause, func, select

from harken.jobs.errors import QuotaExceeded
from harken.jobs.quotas import QUEUED_JOBS, Quota
from harken.jobs.schema import JOBS, OUTBOX, PUBLISHED

HOLDS_FOR_S = 1.0  # a part of what is free, as long as it may be overtaken by other processes
COUNTED_EVERY_S = 0.2  # of an owner who has all it may have, and goes on asking
RETRY_AFTER = timedelta(seconds=2)
PRIORITIES = range(10)


@dataclass
class _Part:
    """What an owner may take without being counted."""

    free: int
    more: bool  # was found than is in this part
    counted_at_s: float


class WaitingRoom:
    """The room of each owner. `queues` are those that jobs wait in; retries that wait for their time do not count."""

    def __init__(
        self, quota: Quota, queues: Collection[str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._quota = quota
        self._queues = list(queues)
        self._clock = clock
        self._parts: dict[str, _Part] = {}

    def take(self, connection: Connection, owner: str, wanted: int) -> int:
        """How many of so many new jobs of an owner may join those that wait."""
        most = self._quota.of(owner)
        if most is None or wanted == 0:
            return wanted
        now_s = self._clock()
        part = self._parts.get(owner)
        age_s = now_s - part.counted_at_s if part else float("inf")
        used_up = part is not None and part.free < wanted
        if (
            part is None
            or age_s > HOLDS_FOR_S
            or (used_up and (part.more or age_s >= COUNTED_EVERY_S))
        ):
            free = max(int(most) - self._count(connection, owner, int(most)), 0)
            handed_out = free if free <= wanted else max(free // 2, wanted)
            part = _Part(handed_out, free > handed_out, now_s)
            self._forget_old(now_s)
            self._parts[owner] = part
        taken = min(wanted, part.free)
        part.free -= taken
        return taken

    def take_all(self, connection: Connection, owner: str, wanted: int) -> None:
        """Lets in so many new jobs. Raises QuotaExceeded when they are too many."""
        most = self._quota.of(owner)
        if most is not None and wanted > most:
            what = f"{owner} may have {most:,.0f} jobs waiting, so {wanted:,} at once are too many."
            raise QuotaExceeded(owner, QUEUED_JOBS, what)
        taken = self.take(connection, owner, wanted)
        if taken < wanted:
            self._parts[owner].free += taken
            raise self.refusal(owner)

    def refusal(self, owner: str) -> QuotaExceeded:
        """What to tell an owner for whose jobs there is no room."""
        most = self._quota.of(owner) or 0
        what = (
            f"{owner} has as many jobs waiting as it may have, {most:,.0f}. Wait for some to start."
        )
        return QuotaExceeded(owner, QUEUED_JOBS, what, RETRY_AFTER)

    def _forget_old(self, now_s: float) -> None:
        self._parts = {
            owner: part
            for owner, part in self._parts.items()
            if now_s - part.counted_at_s <= HOLDS_FOR_S
        }

    def _count(self, connection: Connection, owner: str, most: int) -> int:
        """How many jobs of an owner wait, as far as that matters."""
        return sum(self._counted(connection, owner, which, most) for which in (OUTBOX, PUBLISHED))

    def _counted(self, connection: Connection, owner: str, which: TextClause, most: int) -> int:
        # Spelled so that the indexes of the relay serve it: by queue and priority, then by owner.
        waiting = (
            select(JOBS.c.queue)
            .where(
                which,
                JOBS.c.queue.in_(self._queues),
                JOBS.c.priority.in_(PRIORITIES),
                JOBS.c.owner == owner,
            )
            .limit(most)
            .subquery()
        )
        return connection.execute(select(func.count()).select_from(waiting)).scalar_one()
