"""What one server process of all does beside answering calls, each duty a module of its own; and that each is there.

Repairs need the database alone; the relay and the watch over the broker need Redis too. They run side by side, so that
a Redis that hangs holds up no deadline and no job of a lost worker.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from sqlalchemy.exc import DBAPIError

from harken.jobs import deadlines, leases
from harken.jobs.queueing import outbox
from harken.jobs.queueing.bell import NEWS
from harken.server.housekeeping import repairs
from harken.server.housekeeping.broker_watch import BrokerWatch
from harken.server.housekeeping.lead import Lead
from harken.server.housekeeping.presence import RENEW_EVERY_S, Presence
from harken.server.housekeeping.publisher import Publisher
from harken.server.housekeeping.relay import Relay
from harken.server.metrics.counts import Counts
from harken.server.progress.hub import Hub
from harken.server.store import Store
from harken.settings import Settings

LOG = logging.getLogger(__name__)

LEAD_EVERY_S = 0.5  # a quarter of a term: the lead survives a disk that is slow three times over
LOOK_EVERY_S = 1.0  # time passes without a bell, and a bell can be lost
# After a look the relay pauses for some times as long as it took: many bells are one look, and the workers need the
# processor more. It is back long before they have used up what waits in the broker.
PAUSE_SHARE = 4.0
SHORTEST_PAUSE_S = 0.005
LONGEST_PAUSE_S = 0.1
SOON_S = 0.2  # after a job was taken or has ended: the window has half a second's work


class Housekeeping:
    """Leads by a lease in SQL, so that with many server processes the work is done once."""

    def __init__(
        self, store: Store, hub: Hub, publisher: Publisher, settings: Settings, counts: Counts
    ) -> None:
        self._counts = counts
        self._store = store
        self._hub = hub
        self._publisher = publisher
        self._settings = settings
        self._lead = Lead(store)
        self._presence = Presence(store, self._lead.holder)
        self._relay = Relay(store, publisher, settings, counts)
        self._watch = BrokerWatch(store, publisher)
        self._bell = asyncio.Event()
        self._news = 0  # bells of the workers since the last look
        self._soon: asyncio.TimerHandle | None = None
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._looked_at = {"repairs": 0.0, "broker": 0.0}

    def start(self) -> None:
        """Begins; the first round is at once."""
        self._hub.listen(self._on_bell)
        self._tasks = [
            asyncio.create_task(self._repeat(self._repair, self._rest), name="repairs"),
            asyncio.create_task(self._repeat(self._carry, self._wait), name="relay"),
            asyncio.create_task(self._repeat(self._presence.renew, self._stay), name="presence"),
        ]

    async def stop(self) -> None:
        """Ends after the rounds that are under way, and lets another process lead at once."""
        self._stop.set()
        self._bell.set()
        await asyncio.gather(*self._tasks)
        self._counts.lead(False)
        await self._lead.resign()
        await self._presence.resign()
        await self._publisher.close()

    async def _repeat(
        self, work: Callable[[], Awaitable[None]], pause: Callable[[float], Awaitable[None]]
    ) -> None:
        clock = asyncio.get_running_loop().time
        while not self._stop.is_set():
            begun = clock()
            try:
                await work()
            except DBAPIError as error:
                LOG.warning("housekeeping has to wait: %s", error)
                await self._sleep(LOOK_EVERY_S)
            except Exception:
                LOG.exception("housekeeping failed, trying again")
                await self._sleep(LOOK_EVERY_S)
            await pause(clock() - begun)

    async def _repair(self) -> None:
        led = self._lead.holds
        await self._lead.renew()
        self._counts.lead(self._lead.holds)
        if not self._lead.holds:
            return
        if not led:
            self._bell.set()
        if not self._is_time("repairs"):
            return
        while self._lead.holds and not self._stop.is_set():
            reaped = await repairs.reap(self._store, self._settings)
            self._counts.leases_expired += reaped
            failed = await repairs.fail_overdue(self._store)
            ripe = await repairs.ripen(self._store)
            if reaped or failed:
                self._hub.ring()
            elif ripe:
                self._bell.set()
            if reaped < leases.CHUNK and failed < deadlines.CHUNK and ripe < outbox.CHUNK:
                return
            await self._lead.renew()

    async def _carry(self) -> None:
        if not self._lead.holds:
            return
        if self._is_time("broker"):
            self._counts.messages_lost += await self._watch.look()
        await self._relay.carry(lambda: self._lead.holds and not self._stop.is_set())

    def _is_time(self, duty: str) -> bool:
        now = asyncio.get_running_loop().time()
        if now - self._looked_at[duty] < LOOK_EVERY_S:
            return False
        self._looked_at[duty] = now
        return True

    async def _rest(self, took_s: float) -> None:
        await self._sleep(max(LEAD_EVERY_S - took_s, SHORTEST_PAUSE_S))

    async def _stay(self, _took_s: float) -> None:
        await self._sleep(RENEW_EVERY_S)

    async def _wait(self, took_s: float) -> None:
        await self._sleep(min(max(PAUSE_SHARE * took_s, SHORTEST_PAUSE_S), LONGEST_PAUSE_S))
        try:
            async with asyncio.timeout(LOOK_EVERY_S):
                await self._bell.wait()
        except TimeoutError:
            pass
        self._bell.clear()
        self._news = 0
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None

    def _on_bell(self, word: bytes) -> None:
        self._news += word == NEWS
        if word != NEWS or self._relay.running_low(self._news):
            self._bell.set()
        elif self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(SOON_S, self._bell.set)

    async def _sleep(self, seconds: float) -> None:
        """Sleeps, but not into the stop."""
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            pass
