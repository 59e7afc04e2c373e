"""The loop that one server process of all runs: the relay from the outbox to the broker, and what repairs losses."""

import asyncio
import logging
import os
import socket
import uuid
from concurrent.futures import ThreadPoolExecutor

from kombu.exceptions import OperationalError
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError

from harken.jobs import clock, leadership, leases, outbox
from harken.server.epoch import Epoch
from harken.server.hub import Hub
from harken.server.publisher import Publisher
from harken.server.store import Store
from harken.settings import Settings

LOG = logging.getLogger(__name__)

ROLE = "housekeeping"
LOOK_EVERY_S = 1.0  # due retries and expired leases ring no bell
LEAD_EVERY_S = leadership.TERM.total_seconds() / 3
PUBLISH_AT_ONCE = 500  # between two looks at what is more urgent


class Housekeeping:
    """Leads by a lease in SQL, so that with many server processes the work is done once."""

    def __init__(self, store: Store, hub: Hub, publisher: Publisher, settings: Settings) -> None:
        self._store = store
        self._hub = hub
        self._publisher = publisher
        self._settings = settings
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._bell = asyncio.Event()
        self._epoch = Epoch(settings.broker_url)
        self._publishing = ThreadPoolExecutor(1, thread_name_prefix="publisher")
        self._led_at = 0.0
        self._leads = False
        self._broker_gone = False
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins; the first round is at once."""
        self._hub.listen(self._bell)
        self._task = asyncio.create_task(self._run(), name=ROLE)

    async def stop(self) -> None:
        """Ends after the round that is under way, and lets another process lead at once."""
        self._stopping = True
        self._bell.set()
        if self._task is not None:
            await self._task
        if self._leads:
            try:
                await self._store.write(lambda c: leadership.resign(c, ROLE, holder=self._holder))
            except DBAPIError as error:
                LOG.warning("the lead could not be given up, it runs out by itself: %s", error)
        self._publishing.shutdown()
        self._publisher.close()
        await self._epoch.close()

    async def _run(self) -> None:
        while not self._stopping:
            try:
                if await self._lead():
                    await self._reap()
                    await self._recover()
                    await self._relay()
            except (OperationalError, RedisError, DBAPIError) as error:
                LOG.warning("housekeeping has to wait: %s", error)
                await asyncio.sleep(LOOK_EVERY_S)
            except Exception:
                LOG.exception("housekeeping failed, trying again")
                await asyncio.sleep(LOOK_EVERY_S)
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._bell.wait()
            except TimeoutError:
                pass
            self._bell.clear()

    async def _lead(self) -> bool:
        moment = asyncio.get_running_loop().time()
        if moment - self._led_at >= LEAD_EVERY_S or not self._led_at:
            leads = await self._store.write(
                lambda c: leadership.lead(c, ROLE, holder=self._holder, now=clock.now(c))
            )
            if leads != self._leads:
                LOG.info("%s housekeeping", "leading" if leads else "another process leads")
            self._leads, self._led_at = leads, moment
        return self._leads

    async def _reap(self) -> None:
        if not await self._store.read(lambda c: leases.any_expired(c, clock.now(c))):
            return
        crashes = self._settings.max_crashes
        reaped = await self._store.write(
            lambda c: leases.reap(c, max_crashes=crashes, now=clock.now(c))
        )
        LOG.warning("%d jobs of lost workers were put back or failed", reaped)
        self._hub.ring()

    async def _recover(self) -> None:
        """Publishes again what a broker that came back empty has lost."""
        if not await self._epoch.is_over():
            return
        lost = await self._store.write(outbox.forget_published)
        await self._epoch.begin(self._holder)
        if lost:
            LOG.warning("the broker came back empty: %d waiting jobs are published again", lost)

    async def _relay(self) -> None:
        """Publishes what is due. A crash before the mark publishes twice; the claim lets one through."""
        while await self._lead() and not self._stopping:
            jobs = await self._store.read(lambda c: outbox.due(c, clock.now(c), PUBLISH_AT_ONCE))
            if not jobs:
                return
            try:
                await asyncio.get_running_loop().run_in_executor(
                    self._publishing, self._publisher.publish, jobs
                )
            except (OperationalError, OSError) as error:
                if not self._broker_gone:
                    LOG.warning("the broker is gone, jobs wait in the database: %s", error)
                self._broker_gone = True
                return
            if self._broker_gone:
                LOG.info("the broker is back")
                self._broker_gone = False
            await self._store.write(
                lambda c, sent=jobs: outbox.mark_published(c, sent, clock.now(c))
            )
