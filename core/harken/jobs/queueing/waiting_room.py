"""How many jobs of each owner may still join those that wait.

With SQLite, which has one server, what is free is counted now and then and handed out in parts, which shrink as the
limit comes near. With PostgreSQL, of several servers, each counts for each transaction, one after the other.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from harken.jobs.errors import QuotaExceeded
from harken.jobs.owners.owner_lock import Counted, lock_owner
from harken.jobs.owners.quotas import QUEUED_JOBS, Quota
from harken.jobs.queueing.relay import waiting_of

HOLDS_FOR_S = 1.0  # a part of what is free, since more comes free meanwhile
COUNTED_EVERY_S = 0.2  # of an owner who has all it may have, and goes on asking
RETRY_AFTER = timedelta(seconds=2)


@dataclass
class _Part:
    """What an owner may take without being counted."""

    free: int
    more: bool  # was found than is in this part
    counted_at_s: float


class WaitingRoom:
    """The room of each owner."""

    def __init__(self, quota: Quota, clock: Callable[[], float] = time.monotonic) -> None:
        self._quota = quota
        self._clock = clock
        self._parts: dict[str, _Part] = {}

    def take(self, connection: Connection, owner: str, wanted: int) -> int:
        """How many of so many new jobs of an owner may join those that wait."""
        most = self._quota.of(owner)
        if most is None or wanted == 0:
            return wanted
        if connection.dialect.name == "postgresql":
            lock_owner(connection, Counted.WAITING, owner)
            return min(wanted, self._free(connection, owner, int(most)))
        now_s = self._clock()
        part = self._parts.get(owner)
        age_s = now_s - part.counted_at_s if part else float("inf")
        used_up = part is not None and part.free < wanted
        if (
            part is None
            or age_s > HOLDS_FOR_S
            or (used_up and (part.more or age_s >= COUNTED_EVERY_S))
        ):
            free = self._free(connection, owner, int(most))
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
            if owner in self._parts:
                self._parts[owner].free += taken
            raise self.refusal(owner)

    def refusal(self, owner: str) -> QuotaExceeded:
        """What to tell an owner for whose jobs there is no room."""
        most = self._quota.of(owner) or 0
        what = (
            f"{owner} has as many jobs waiting as it may have, {most:,.0f}. Wait for some to start."
        )
        return QuotaExceeded(owner, QUEUED_JOBS, what, RETRY_AFTER)

    @staticmethod
    def _free(connection: Connection, owner: str, most: int) -> int:
        return max(most - waiting_of(connection, owner, most=most), 0)

    def _forget_old(self, now_s: float) -> None:
        self._parts = {
            owner: part
            for owner, part in self._parts.items()
            if now_s - part.counted_at_s <= HOLDS_FOR_S
        }
