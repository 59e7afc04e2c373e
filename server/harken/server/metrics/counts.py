"""What a server process counts as it goes: plain numbers, since a stream's events are too many for more.

The event loop alone writes them; the thread that answers Prometheus reads.
"""

import time
from collections import Counter
from dataclasses import dataclass, field

TARGETS = {"job_id": "job", "batch_id": "batch"}  # of the contract's oneof
TRANSITION, PROGRESS, SNAPSHOT, BOOKMARK = "transition", "progress", "snapshot", "bookmark"
SENT = (TRANSITION, PROGRESS, SNAPSHOT, BOOKMARK)


@dataclass
class Counts:
    """The numbers of one process."""

    streams_open: Counter[str] = field(default_factory=Counter[str])  # by target, of TARGETS
    sent: Counter[str] = field(default_factory=Counter[str])  # by kind, of SENT
    ticks_conflated: int = 0
    ticks_refused: int = 0
    leases_expired: int = 0
    published: Counter[str] = field(default_factory=Counter[str])  # by queue
    messages_lost: int = 0
    leads: bool = False
    relay_done_at: float = field(default_factory=time.monotonic)

    def lead(self, holds: bool) -> None:
        """Leads from now on, or no longer."""
        if holds and not self.leads:
            self.relay_done_at = time.monotonic()
        self.leads = holds

    def relay_lag_s(self) -> float:
        """For how long the relay has had jobs to publish without an end; 0 where another process leads."""
        return max(time.monotonic() - self.relay_done_at, 0.0) if self.leads else 0.0
