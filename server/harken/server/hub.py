"""The progress hub: what happens to jobs, handed to those who watch them. One of it runs in a server process.

Changes of state come from the transition log, which one reader follows for all watchers, woken by the bell and once a
second regardless; ticks come from the subscription. A watcher is registered before it reads where its job stands, so
nothing falls in between; what it then gets twice it knows by revision and drops.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from harken.jobs import log
from harken.jobs.job import Transition
from harken.server.counts import Counts
from harken.server.store import Store
from harken.server.ticks import Tick, TickSubscription

LOG = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0  # the bell can be lost, and is with Redis gone
LONGEST_BACKLOG = 1_000  # transitions that wait for a slow reader, who reads the log after that


class Watcher:
    """What one stream has not sent yet."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self.wake = asyncio.Event()
        self.transitions: deque[Transition] = deque()
        self.behind = False  # transitions were dropped: the log has them
        self.tick: Tick | None = None  # the newest only

    def take(self, transition: Transition) -> None:
        """Takes a change of state."""
        if len(self.transitions) >= LONGEST_BACKLOG:
            self.transitions.clear()
            self.behind = True
        if not self.behind:
            self.transitions.append(transition)
        self.wake.set()

    def take_tick(self, tick: Tick) -> None:
        """Takes a tick, unless it has a newer one."""
        if self.tick is None or tick.order > self.tick.order:
            self._counts.ticks_conflated += self.tick is not None
            self.tick = tick
            self.wake.set()


class Hub:
    """Hands transitions and ticks to watchers."""

    def __init__(self, store: Store, result_backend: str, counts: Counts) -> None:
        self._store = store
        self._counts = counts
        self._ticks = TickSubscription(result_backend, self._on_tick, self.heard)
        self._jobs: dict[str, set[Watcher]] = {}
        self._batches: dict[str, set[Watcher]] = {}
        self._position: int | None = None  # none while nobody watches
        self._positioning = asyncio.Lock()
        self._heard = asyncio.Event()
        self._others: list[asyncio.Event] = []
        self._ringing: asyncio.Task[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self.stopping = False

    def start(self) -> None:
        """Begins to follow the log and the ticks."""
        self._ticks.start()
        self._task = asyncio.create_task(self._follow(), name="log-follower")

    def drain(self) -> None:
        """Wakes all watchers, whose streams end as the server is stopping."""
        self.stopping = True
        for watchers in (*self._jobs.values(), *self._batches.values()):
            for watcher in watchers:
                watcher.wake.set()

    async def stop(self) -> None:
        """Ends what `start` began."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._ringing is not None:
            await self._ringing
        await self._ticks.stop()

    def listen(self, event: asyncio.Event) -> None:
        """Sets the event too whenever the bell is heard."""
        self._others.append(event)

    def heard(self) -> None:
        """Something was committed, here or elsewhere."""
        self._heard.set()
        for event in self._others:
            event.set()

    def ring(self) -> None:
        """Tells this process at once and the others soon that something was committed here."""
        self.heard()
        if self._ringing is None or self._ringing.done():
            self._ringing = asyncio.create_task(self._ticks.ring(), name="bell")

    @asynccontextmanager
    async def watch_job(self, job_id: str) -> AsyncGenerator[Watcher]:
        """A watcher of a job's transitions and ticks, from now on."""
        async with self._watch(self._jobs, job_id) as watcher:
            try:
                await self._ticks.subscribe(job_id)
                yield watcher
            finally:
                await self._ticks.unsubscribe(job_id)

    @asynccontextmanager
    async def watch_batch(self, batch_id: str) -> AsyncGenerator[Watcher]:
        """A watcher of the transitions of a batch's jobs, from now on."""
        async with self._watch(self._batches, batch_id) as watcher:
            yield watcher

    async def ticks(self, *job_ids: str) -> dict[str, Tick]:
        """The newest ticks of jobs that have one."""
        return await self._ticks.read(job_ids)

    @asynccontextmanager
    async def _watch(self, watchers: dict[str, set[Watcher]], key: str) -> AsyncGenerator[Watcher]:
        watcher = Watcher(self._counts)
        watchers.setdefault(key, set()).add(watcher)
        try:
            async with self._positioning:
                if self._position is None:
                    self._position = await self._store.read(log.head)
            yield watcher
        finally:
            watchers[key].discard(watcher)
            if not watchers[key]:
                del watchers[key]

    async def _follow(self) -> None:
        while True:
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._heard.wait()
            except TimeoutError:
                pass
            self._heard.clear()
            try:
                await self._read_log()
            except Exception as error:
                LOG.warning("the transition log could not be read, trying again: %s", error)
                await asyncio.sleep(LOOK_EVERY_S)

    async def _read_log(self) -> None:
        while True:
            async with self._positioning:
                if not self._jobs and not self._batches:
                    self._position = None
                position = self._position
            if position is None:
                return
            transitions = await self._store.read(lambda c, after=position: log.after(c, after))
            for transition in transitions:
                self._dispatch(transition)
            if transitions:
                self._position = transitions[-1].position
            if len(transitions) < log.PAGE:
                return

    def _dispatch(self, transition: Transition) -> None:
        for watcher in self._jobs.get(transition.job_id, ()):
            watcher.take(transition)
        if transition.batch_id is not None:
            for watcher in self._batches.get(transition.batch_id, ()):
                watcher.take(transition)

    def _on_tick(self, job_id: str, tick: Tick) -> None:
        for watcher in self._jobs.get(job_id, ()):
            watcher.take_tick(tick)
