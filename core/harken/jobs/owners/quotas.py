"""How much each owner may have: jobs that wait, jobs that run, bytes that are kept, submits a second.

Decisions only. Who counts is elsewhere: `waiting_room` for jobs that wait, the relay for those that run, whoever keeps
bytes for those.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from math import inf

from harken.jobs.errors import QuotaExceeded

QUEUED_JOBS, STORED_BYTES, SUBMITS = "queued_jobs", "stored_bytes", "submits_per_second"
CONNECTIONS = "connections"


@dataclass(frozen=True, kw_only=True)
class Quota:
    """A limit for every owner, and others for some; None is no limit."""

    everyone: float | None = None
    owners: Mapping[str, float | None] = field(default_factory=dict[str, float | None])

    def __bool__(self) -> bool:
        """Whether there is any limit at all."""
        return self.everyone is not None or any(most is not None for most in self.owners.values())

    def of(self, owner: str) -> float | None:
        """What an owner may have."""
        return self.owners.get(owner, self.everyone)

    def left(self, owner: str, has: float) -> float:
        """How much more an owner may have, of whom it `has` that."""
        most = self.of(owner)
        return inf if most is None else max(most - has, 0)


NO_QUOTA = Quota()


def check_stored(quota: Quota, owner: str, *, stored: int, adding: int) -> None:
    """Raises QuotaExceeded when an owner with so many bytes may not add these."""
    most = quota.of(owner)
    if most is not None and stored + adding > most:
        what = (
            f"{owner} keeps {stored:,} bytes of the {most:,.0f} that it may, so {adding:,} more are too"
            " many. Delete uploads that are not needed any more: they count until they are cleaned up, an hour later."
        )
        raise QuotaExceeded(owner, STORED_BYTES, what)


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """Tokens that come back over time, `rate` a second, up to a second's worth and at least one."""

    rate: float
    tokens: float
    at_s: float  # by a monotonic clock

    @classmethod
    def full(cls, rate: float, now_s: float) -> "Bucket":
        """A bucket that nobody has taken from."""
        return cls(rate=rate, tokens=max(rate, 1.0), at_s=now_s)

    def take(self, now_s: float) -> tuple["Bucket", timedelta | None]:
        """The bucket after one token was asked for, and how long until there is one; None when it was taken."""
        came_back = (now_s - self.at_s) * self.rate
        tokens = min(self.tokens + came_back, max(self.rate, 1.0))
        if tokens >= 1:
            return replace(self, tokens=tokens - 1, at_s=now_s), None
        wait = timedelta(seconds=(1 - tokens) / self.rate) if self.rate else timedelta(days=1)
        return replace(self, tokens=tokens, at_s=now_s), wait
