"""What one stream has not sent yet. However slowly it is read, that is not much."""

import asyncio
from collections import deque

from harken.jobs.standing import MOST_RUNNING
from harken.server.metrics.counts import Counts
from harken.server.progress.messages import Changes
from harken.server.progress.ticks import Tick

LONGEST_BACKLOG = 4_000  # transitions that wait for a slow reader, who reads the log after that
MOST_TICKS = MOST_RUNNING  # jobs whose newest ticks wait


class Watcher:
    """The transitions of its target in order, and the newest tick of each job."""

    __slots__ = ("_backlog", "_changes", "_counts", "_rung", "_ticks", "_waiting", "behind")

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self.behind = False  # transitions were dropped: the log has them
        self._changes: deque[Changes] | None = (
            None  # none in most of many streams: an empty one takes 600 bytes
        )
        self._backlog = 0
        self._ticks: dict[str, Tick] = {}
        self._rung = False
        self._waiting: asyncio.Future[None] | None = None

    def ring(self) -> None:
        """Wakes the stream, now or when it waits next."""
        self._rung = True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def rung(self) -> None:
        """Returns when it has been rung since the last time."""
        if not self._rung:
            self._waiting = asyncio.get_running_loop().create_future()
            try:
                await self._waiting
            finally:
                self._waiting = None
        self._rung = False

    def take(self, changes: Changes) -> None:
        """Takes changes of state."""
        self._backlog += len(changes.transitions)
        if self._changes is None:
            self._changes = deque()
        if self._changes and self._backlog > LONGEST_BACKLOG:
            self._changes.clear()
            self.behind = True
        if not self.behind:
            self._changes.append(changes)
        self.ring()

    def take_tick(self, job_id: str, tick: Tick) -> None:
        """Takes a tick, unless it has a newer one of the job."""
        waiting = self._ticks.get(job_id)
        if waiting is not None and waiting.order > tick.order:
            return
        if waiting is not None:
            self._counts.ticks_conflated += 1
        elif len(self._ticks) >= MOST_TICKS:
            del self._ticks[next(iter(self._ticks))]
        self._ticks[job_id] = tick
        self.ring()

    def changes(self) -> list[Changes]:
        """Takes out the changes of state, in order; none while it is behind."""
        found = list(self._changes or ())
        self._changes = None
        self._backlog = 0
        return found

    def ticks(self) -> dict[str, Tick]:
        """Takes out the ticks."""
        found, self._ticks = self._ticks, {}
        return found

    def keep(self, job_id: str, tick: Tick) -> None:
        """Puts back a tick whose time has not come; wakes nobody."""
        self._ticks.setdefault(job_id, tick)
