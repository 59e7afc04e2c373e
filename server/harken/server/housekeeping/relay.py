"""The relay at work: it takes what is next from the outbox to the broker."""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection

from harken.jobs import clock
from harken.jobs.failpoint import Point, failpoint
from harken.jobs.queueing import outbox, relay
from harken.jobs.queueing.window import pace
from harken.server.access.quotas import quota
from harken.server.housekeeping.publisher import BrokerGone, Publisher
from harken.server.metrics.counts import Counts
from harken.server.store import Store
from harken.settings import Settings

LOG = logging.getLogger(__name__)


class Relay:
    """Publishes a window ahead of the workers, and measures how fast they are."""

    def __init__(
        self, store: Store, publisher: Publisher, settings: Settings, counts: Counts
    ) -> None:
        self._counts = counts
        self._store = store
        self._publisher = publisher
        self._weights = settings.weights
        self._running = quota(settings.quota_running_jobs)
        self._gone = False
        self._turns: dict[relay.Level, str] = {}
        self._paces: dict[str, float] = {}
        self._in_broker: dict[str, int] = {}  # after the last look, by queue
        self._looked_at = 0.0

    def running_low(self, bells: int) -> bool:
        """Whether the workers may have used up half of what the broker had; each job they take rings twice."""
        return bells >= sum(self._in_broker.values())

    async def carry(self, may_go_on: Callable[[], bool]) -> None:
        """Publishes until the windows are full or nothing waits.

        A crash before the mark publishes twice; the claim lets one through.
        """
        while may_go_on():
            found = await self._store.read(lambda c: self._look(c, clock.now(c)))
            self._measure(found)
            if not found.jobs:
                break
            failpoint(Point.PUBLISH)
            if not await self._publish(found.jobs):
                return
            failpoint(Point.PUBLISHED)
            for job in found.jobs:
                self._counts.published[job.queue] += 1
                self._in_broker[job.queue] = self._in_broker.get(job.queue, 0) + 1
            await self._store.write(
                lambda c, sent=found.jobs: outbox.mark_published(c, sent, clock.now(c))
            )
            if not found.more:
                break
        self._counts.relay_done_at = time.monotonic()

    def _look(self, connection: Connection, now: datetime) -> relay.Round:
        return relay.next_jobs(
            connection,
            now,
            weights=self._weights,
            paces=self._paces,
            turns=self._turns,
            running=self._running,
        )

    def _measure(self, found: relay.Round) -> None:
        if found.published is None:
            return
        moment = asyncio.get_running_loop().time()
        elapsed_s = moment - self._looked_at
        for queue in {*self._in_broker, *found.published}:
            left = found.published.get(queue, 0)
            started = max(self._in_broker.get(queue, 0) - left, 0)
            before = self._paces.get(queue, 0.0)
            self._paces[queue] = pace(before, started=started, elapsed_s=elapsed_s)
        self._looked_at = moment
        self._in_broker = dict(found.published)
        self._turns = dict(found.turns)

    async def _publish(self, jobs: tuple[outbox.Outgoing, ...]) -> bool:
        """Whether the broker has taken the jobs."""
        try:
            if self._gone:
                # A broker that hangs reads later what it is sent now: one question is less than many jobs.
                await self._publisher.ping()
            await self._publisher.publish(jobs)
        except BrokerGone as error:
            if not self._gone:
                LOG.warning("the broker is gone, jobs wait in the database: %s", error)
            self._gone = True
            return False
        if self._gone:
            LOG.info("the broker is back")
            self._gone = False
        return True
