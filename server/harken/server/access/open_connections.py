"""The connections over which owners have calls open: no more of each owner than it may have."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from harken.jobs.errors import QuotaExceeded
from harken.jobs.owners.quotas import CONNECTIONS

RETRY_AFTER = timedelta(seconds=1)


@dataclass
class OpenConnections:
    """Those of one server process. `most` is how many each owner may have; None is no limit.

    A connection is known by its peer, and counts from the first of its calls that are open to the end of the last one:
    whose it is stands in each call, and that it is gone gRPC does not tell.
    """

    most: Callable[[str], float | None]
    _calls: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])

    def enter(self, owner: str, peer: str) -> None:
        """Counts a call that came from a peer. Raises QuotaExceeded."""
        most = self.most(owner)
        theirs = self._calls.get(owner) or Counter[str]()
        if most is not None and peer not in theirs and len(theirs) >= most:
            what = (
                f"{owner} has calls open over {len(theirs)} connections to this server, of {most:,.0f} that it may."
                " One connection carries thousands of calls: share it."
            )
            raise QuotaExceeded(owner, CONNECTIONS, what, RETRY_AFTER)
        theirs[peer] += 1
        self._calls[owner] = theirs

    def leave(self, owner: str, peer: str) -> None:
        """Counts a call no longer."""
        theirs = self._calls[owner]
        theirs[peer] -= 1
        if not theirs[peer]:
            del theirs[peer]
        if not theirs:
            del self._calls[owner]
