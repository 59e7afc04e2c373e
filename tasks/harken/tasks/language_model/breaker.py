"""A circuit breaker: an endpoint that keeps failing is left alone for a while, then tried once.

    closed ──failures──▶ open ──pause over──▶ half-open ──success──▶ closed
                          ▲                       │
                          └────────failure────────┘

One stands in each child of a worker. Shared over Redis it would learn faster, but the broker would stand in the way of
each call; so, an endpoint that is gone costs each child its few failures, and a child runs one job at a time.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

MOST_FAILURES: Final = 5  # in a row: more than the attempts of one job
PAUSE_S: Final = 30.0  # as long as a server takes to load a small model again


class Circuit(StrEnum):
    """Whether calls go through."""

    CLOSED = "CLOSED"
    OPEN = "OPEN"
    HALF_OPEN = "HALF_OPEN"


@dataclass(frozen=True, kw_only=True)
class Breaker:
    """What is known of an endpoint; `now` is of a clock that never goes back."""

    failures: int = 0
    opened_at: float | None = None

    def circuit(self, now: float) -> Circuit:
        """Whether a call may be made: not while it is OPEN."""
        if self.opened_at is None:
            return Circuit.CLOSED
        return Circuit.OPEN if now < self.opened_at + PAUSE_S else Circuit.HALF_OPEN

    def failed(self, now: float) -> "Breaker":
        """After a call that failed."""
        failures = self.failures + 1
        if self.opened_at is not None or failures >= MOST_FAILURES:
            return replace(self, failures=failures, opened_at=now)
        return replace(self, failures=failures)

    def succeeded(self) -> "Breaker":
        """After a call that was answered."""
        return Breaker()
