"""What owners may have at this server, by its settings, and how fast they may submit to it."""

import time
from collections.abc import Callable

from sqlalchemy import Connection

from harken.jobs.errors import QuotaExceeded
from harken.jobs.files.stored_bytes import stored_bytes
from harken.jobs.owners.quotas import STORED_BYTES, SUBMITS, Bucket, Quota, check_stored
from harken.jobs.queueing.waiting_room import WaitingRoom
from harken.settings import Settings, parse_quota

MOST_REMEMBERED = 10_000  # owners whose pace is known; who is forgotten begins anew


def quota(text: str) -> Quota:
    """The quota of a setting such as "100,ann=500"."""
    everyone, owners = parse_quota(text)
    return Quota(everyone=everyone, owners=owners)


class Pace:
    """How fast each owner may submit to this process."""

    def __init__(self, rates: Quota, clock: Callable[[], float] = time.monotonic) -> None:
        self._rates = rates
        self._clock = clock
        self._buckets: dict[str, Bucket] = {}

    def check(self, owner: str) -> None:
        """Counts a submit. Raises QuotaExceeded when it comes too soon."""
        rate = self._rates.of(owner)
        if rate is None:
            return
        now_s = self._clock()
        bucket = self._buckets.pop(owner, None) or Bucket.full(rate, now_s)
        self._buckets[owner], wait = bucket.take(
            now_s
        )  # to the end: who was not seen longest is first
        if len(self._buckets) > MOST_REMEMBERED:
            del self._buckets[next(iter(self._buckets))]
        if wait is not None:
            what = f"{owner} may submit {rate:g} times a second here."
            raise QuotaExceeded(owner, SUBMITS, what, wait)


class Quotas:
    """All of them, of one server process. `room` is None where anybody may have any number of jobs waiting."""

    def __init__(self, settings: Settings) -> None:
        queued, rates = quota(settings.quota_queued_jobs), quota(settings.quota_submits_per_second)
        self.room = WaitingRoom(queued) if queued else None
        self.stored = quota(settings.quota_stored_bytes)
        self._pace = Pace(rates) if rates else None

    def submits(self, owner: str) -> None:
        """Counts a call that makes jobs. Raises QuotaExceeded when it comes too soon."""
        if self._pace is not None:
            self._pace.check(owner)

    def check_stored(self, connection: Connection, owner: str, *, adding: int = 0) -> float:
        """How many bytes more an owner may keep. Raises QuotaExceeded when that is less than is to be added."""
        has = stored_bytes(connection, owner=owner)
        check_stored(self.stored, owner, stored=has, adding=adding)
        return self.stored.left(owner, has)

    def bytes_refusal(self, owner: str) -> QuotaExceeded:
        """What to tell an owner whose file grew beyond what it may keep."""
        what = f"{owner} may keep {self.stored.of(owner):,.0f} bytes, and this file is more than is left of them."
        return QuotaExceeded(owner, STORED_BYTES, what)
