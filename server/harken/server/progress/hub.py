"""The progress hub: what happens to jobs, handed to those who watch them. One of it runs in a server process.

Changes of state come from the transition log, which one reader follows for all watchers, woken by the bell and once a
second regardless; ticks come from the subscription. A watcher is registered before it reads where its job stands, so
nothing falls in between; what it then gets twice it knows by its place and drops.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

from harken.jobs import log
from harken.jobs.job import Transition
from harken.jobs.queueing.bell import WORK
from harken.server.metrics.counts import Counts
from harken.server.progress.item_ticks import ItemTicks
from harken.server.progress.messages import changes
from harken.server.progress.ticks import Tick, TickSubscription
from harken.server.progress.watcher import Watcher
from harken.server.store import Store
from harken.tasks.signing import Refused, Signing

LOG = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0  # the bell can be lost, and is with Redis gone
# After a look at the log the next one waits for some times as long as that took: of many bells the first is answered
# at once, and the processor is there for others.
PAUSE_SHARE = 2.0
SHORTEST_PAUSE_S = 0.005
LONGEST_PAUSE_S = 0.05

Watchers = dict[str, set[Watcher]]


class Hub:
    """Hands transitions and ticks to watchers."""

    def __init__(
        self, store: Store, result_backend: str, counts: Counts, *, signing_keys: str = ""
    ) -> None:
        self._store = store
        self.counts = counts
        self._signing = Signing(signing_keys) if signing_keys else None
        read = json.loads if self._signing is None else self._signed
        self._ticks = TickSubscription(result_backend, self._on_tick, self.heard, read)
        self._item_ticks = ItemTicks(store, self._ticks, self._on_tick)
        self._jobs: Watchers = {}
        self._batches: Watchers = {}
        self._items: Watchers = {}  # those of batches who want ticks too
        self._position: int | None = None  # none while nobody watches
        self._positioning = asyncio.Lock()
        self._heard = asyncio.Event()
        self._listeners: list[Callable[[bytes], None]] = []
        self._ringing: asyncio.Task[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self.stopping = False

    def start(self) -> None:
        """Begins to follow the log and the ticks."""
        self._ticks.start()
        self._task = asyncio.create_task(self._follow(), name="log-follower")

    def _signed(self, payload: bytes | str) -> Any:
        """What Celery has stored, which has to be signed. Raises Refused, and counts that."""
        assert self._signing is not None
        try:
            return self._signing.read(payload)
        except Refused:
            self.counts.ticks_refused += 1
            raise

    def drain(self) -> None:
        """Wakes all watchers, whose streams end as the server is stopping."""
        self.stopping = True
        for watchers in (*self._jobs.values(), *self._batches.values()):
            for watcher in watchers:
                watcher.ring()

    async def stop(self) -> None:
        """Ends what `start` began."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._ringing is not None:
            await self._ringing
        await self._item_ticks.stop()
        await self._ticks.stop()

    def listen(self, on_bell: Callable[[bytes], None]) -> None:
        """Has `on_bell` called with the word of each bell."""
        self._listeners.append(on_bell)

    def heard(self, word: bytes) -> None:
        """Something was committed, here or elsewhere."""
        self._heard.set()
        for on_bell in self._listeners:
            on_bell(word)

    def ring(self) -> None:
        """Tells this process at once and the others soon that something was committed here."""
        self.heard(WORK)
        if self._ringing is None or self._ringing.done():
            self._ringing = asyncio.create_task(self._ticks.ring(), name="bell")

    @contextmanager
    def watch_job(self, job_id: str) -> Generator[Watcher]:
        """A watcher of a job's transitions and ticks, for whom `job_ready` is to be awaited."""
        watcher = Watcher(self.counts)
        self._jobs.setdefault(job_id, set()).add(watcher)
        self._ticks.want(job_id)
        try:
            yield watcher
        finally:
            self._ticks.unwant(job_id)
            _remove(self._jobs, job_id, watcher)

    async def job_ready(self, job_id: str) -> None:
        """Returns when the watchers of the job miss nothing any more."""
        await self._ticks.acknowledged([job_id])
        await self._follow_from_now()

    @contextmanager
    def watch_batch(self, batch_id: str, *, items: bool) -> Generator[Watcher]:
        """A watcher of the transitions of a batch's jobs, with `items` of their ticks too; see `batch_ready`."""
        watcher = Watcher(self.counts)
        self._batches.setdefault(batch_id, set()).add(watcher)
        if items:
            self._items.setdefault(batch_id, set()).add(watcher)
            self._item_ticks.add_watcher(batch_id)
        try:
            yield watcher
        finally:
            if items:
                self._item_ticks.remove_watcher(batch_id)
                _remove(self._items, batch_id, watcher)
            _remove(self._batches, batch_id, watcher)

    async def batch_ready(self, batch_id: str, *, items: bool) -> None:
        """Returns when the watchers of the batch miss nothing any more."""
        await self._follow_from_now()
        if items:
            self._item_ticks.look(batch_id)

    async def ticks(self, *job_ids: str) -> dict[str, Tick]:
        """The newest ticks of jobs that have one."""
        return await self._ticks.read(job_ids)

    async def _follow_from_now(self) -> None:
        if self._position is None:
            async with self._positioning:
                if self._position is None:
                    self._position = await self._store.query(log.head)

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._heard.wait()
            except TimeoutError:
                pass
            self._heard.clear()
            begun = loop.time()
            try:
                await self._read_log()
            except Exception as error:
                LOG.warning("the transition log could not be read, trying again: %s", error)
                await asyncio.sleep(LOOK_EVERY_S)
            pause_s = PAUSE_SHARE * (loop.time() - begun)
            await asyncio.sleep(min(max(pause_s, SHORTEST_PAUSE_S), LONGEST_PAUSE_S))

    async def _read_log(self) -> None:
        while True:
            async with self._positioning:
                if not self._jobs and not self._batches:
                    self._position = None
                position = self._position
            if position is None:
                return
            transitions = await self._store.query(lambda c, after=position: log.after(c, after))
            if transitions:
                self._dispatch(transitions)
                self._position = transitions[-1].position
            if len(transitions) < log.PAGE:
                return

    def _dispatch(self, transitions: Sequence[Transition]) -> None:
        of_jobs: dict[str, list[Transition]] = {}
        of_batches: dict[str, list[Transition]] = {}
        for found in transitions:
            if found.job_id in self._jobs:
                of_jobs.setdefault(found.job_id, []).append(found)
            if found.batch_id in self._batches:
                of_batches.setdefault(found.batch_id or "", []).append(found)
                self._item_ticks.note(found)
        for watchers, some in ((self._jobs, of_jobs), (self._batches, of_batches)):
            for key, theirs in some.items():
                for portion in changes(theirs):
                    for watcher in watchers[key]:
                        watcher.take(portion)

    def _on_tick(self, job_id: str, tick: Tick) -> None:
        for watcher in self._jobs.get(job_id, ()):
            watcher.take_tick(job_id, tick)
        for watcher in self._items.get(self._item_ticks.batch_of(job_id) or "", ()):
            watcher.take_tick(job_id, tick)


def _remove(watchers: Watchers, key: str, watcher: Watcher) -> None:
    watchers[key].discard(watcher)
    if not watchers[key]:
        del watchers[key]
