"""Whose ticks the watchers of batches want: those of the jobs that run."""

import asyncio
import logging
from collections.abc import Callable

from harken.jobs import standing
from harken.jobs.job import Transition
from harken.jobs.standing import MOST_RUNNING
from harken.jobs.state import HELD
from harken.server.progress.ticks import Tick, TickSubscription
from harken.server.store import Store

LOG = logging.getLogger(__name__)

SETTLE_EVERY_S = 0.05  # a job that runs for less is never subscribed to


class ItemTicks:
    """Subscribes to the ticks of the running jobs of batches whose items are watched, and gives that up again."""

    def __init__(
        self, store: Store, ticks: TickSubscription, on_tick: Callable[[str, Tick], None]
    ) -> None:
        self._store = store
        self._ticks = ticks
        self._on_tick = on_tick
        self._watchers: dict[str, int] = {}
        self._running: dict[str, set[str]] = {}  # by batch
        self._looked: set[str] = set()
        self._gone: dict[
            str, set[str]
        ] = {}  # jobs that stopped running while a batch was being looked up
        self._batch_of: dict[str, str] = {}
        self._subscribed: set[str] = set()
        self._settling: asyncio.Task[None] | None = None

    def batch_of(self, job_id: str) -> str | None:
        """The watched batch in which the job runs."""
        return self._batch_of.get(job_id)

    def add_watcher(self, batch_id: str) -> None:
        """A watcher of the batch's items has come."""
        self._watchers[batch_id] = self._watchers.get(batch_id, 0) + 1
        self._running.setdefault(batch_id, set())

    def remove_watcher(self, batch_id: str) -> None:
        """A watcher has gone; with the last one the subscriptions end."""
        self._watchers[batch_id] -= 1
        if self._watchers[batch_id]:
            return
        del self._watchers[batch_id]
        self._looked.discard(batch_id)
        self._gone.pop(batch_id, None)
        for job_id in self._running.pop(batch_id):
            self._batch_of.pop(job_id, None)
            if job_id in self._subscribed:
                self._subscribed.discard(job_id)
                self._ticks.unwant(job_id)

    def look(self, batch_id: str) -> None:
        """Finds out which jobs of the batch run already. From now on all that changes has to be noted."""
        if batch_id not in self._looked:
            self._looked.add(batch_id)
            self._gone[batch_id] = set()
            self._settle()

    def note(self, transition: Transition) -> None:
        """A job of a watched batch has changed its state."""
        batch_id = transition.batch_id
        if batch_id is None or batch_id not in self._watchers:
            return
        if transition.after in HELD:
            self._add(batch_id, transition.job_id)
        else:
            self._running[batch_id].discard(transition.job_id)
            self._batch_of.pop(transition.job_id, None)
            if batch_id in self._gone:
                self._gone[batch_id].add(transition.job_id)
        self._settle()

    async def stop(self) -> None:
        """Ends what is under way."""
        if self._settling is not None:
            self._settling.cancel()
            await asyncio.gather(self._settling, return_exceptions=True)

    def _add(self, batch_id: str, job_id: str) -> None:
        if len(self._running[batch_id]) < MOST_RUNNING:
            self._running[batch_id].add(job_id)
            self._batch_of[job_id] = batch_id

    def _settle(self) -> None:
        if self._settling is None or self._settling.done():
            self._settling = asyncio.create_task(self._settle_soon(), name="item-ticks")

    async def _settle_soon(self) -> None:
        while self._gone or self._subscribed != self._batch_of.keys():
            try:
                for batch_id in list(self._gone):
                    await self._look_up(batch_id)
            except Exception as error:
                LOG.warning(
                    "the running jobs of a batch could not be read, trying again: %s", error
                )
            await asyncio.sleep(SETTLE_EVERY_S)
            for job_id in self._subscribed - self._batch_of.keys():
                self._ticks.unwant(job_id)
            new = list(self._batch_of.keys() - self._subscribed)
            for job_id in new:
                self._ticks.want(job_id)
            self._subscribed = set(self._batch_of)
            await self._ticks.acknowledged(new)
            for job_id, tick in (await self._ticks.read(new)).items():
                self._on_tick(job_id, tick)

    async def _look_up(self, batch_id: str) -> None:
        found = await self._store.read(lambda c: standing.running_in(c, batch_id))
        gone = self._gone.pop(batch_id, None)
        if gone is not None:  # else the last watcher has left
            for job in found:
                if job.job_id not in gone:
                    self._add(batch_id, job.job_id)
