"""What StreamProgress sends of a batch with its items: transitions, ticks, and the counts that come of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from harken.jobs import log, standing
from harken.jobs.errors import PositionExpired
from harken.jobs.job import Transition
from harken.jobs.standing import MOST_RUNNING, BatchStanding
from harken.jobs.state import HELD
from harken.server import tokens
from harken.server.metrics.counts import BOOKMARK, PROGRESS, SNAPSHOT, TRANSITION
from harken.server.progress import messages
from harken.server.progress.batch_stream import SNAPSHOT_EVERY_S, unless_expired
from harken.server.progress.hub import Hub
from harken.server.progress.job_stream import Write
from harken.server.progress.messages import Changes
from harken.server.progress.openings import Openings
from harken.server.progress.wakeups import Pace, Wakeups
from harken.server.progress.watcher import Watcher
from harken.server.store import Store


@dataclass(slots=True)
class _Running:
    """A job that runs, as far as this stream has told."""

    revision: int
    attempt: int
    order: tuple[int, int] = (0, 0)  # of the last tick


class ItemStream:
    """The stream of one batch and its items. It sends every transition once, by position, and no tick that is stale.

    Its tokens hold the number of the batch's jobs too: when jobs were deleted, so was what a token stands before.
    """

    def __init__(
        self,
        hub: Hub,
        store: Store,
        openings: Openings,
        write: Write,
        owner: str,
        batch_id: str,
    ) -> None:
        self._hub = hub
        self._store = store
        self._openings = openings
        self._write = write
        self._owner = owner
        self._batch_id = batch_id
        self._bound_to = ("batch", owner, batch_id, "items")
        self._position = 0  # up to here transitions were sent
        self._counted = 0  # up to here they are in the counts
        self._running: dict[str, _Running] = {}

    async def find(self) -> None:
        """Returns when the owner has the batch. Raises BatchNotFound."""
        await self._openings.batch(self._owner, self._batch_id)

    async def run(self, resume_token: str | None, heartbeat: timedelta) -> None:
        """Writes all messages.

        Raises BatchNotFound, PositionAhead, PositionExpired, InvalidToken and ServerStopping.
        """
        start, jobs = self._start(resume_token)
        with self._hub.watch_batch(self._batch_id, items=True) as watcher:
            await self._begin(watcher, start, jobs)
            told = self._batch
            pace = Pace(watcher, SNAPSHOT_EVERY_S)
            with Wakeups(self._hub, watcher, heartbeat) as wakeups:
                while True:
                    if await self._send_pending(watcher):
                        wakeups.sent()
                    if self._batch.ended:
                        break
                    if self._batch != told and pace.allows():
                        told = self._batch
                        await self._send(messages.batch_body(told), SNAPSHOT)
                        wakeups.sent()
                    if await wakeups.silent():
                        await self._send(messages.BOOKMARK, BOOKMARK)
                        wakeups.sent()
            if self._batch != told:  # the end's time stands in the database
                batch = (await self._openings.batch(self._owner, self._batch_id)).batch
                await self._send(messages.batch_body(batch), SNAPSHOT)

    async def _begin(self, watcher: Watcher, start: int | None, jobs: int) -> None:
        """Sends where the batch stands, after what came since `start`."""
        await self._hub.batch_ready(self._batch_id, items=True)
        opening, ticks = await unless_expired(
            self._openings.items(self._owner, self._batch_id), start
        )
        self._note(opening)
        if start is not None:
            await self._check(start, jobs)
            self._position = start
        if start == opening.position:
            await self._send(messages.BOOKMARK, BOOKMARK)
        else:
            if start is not None:
                await self._send_missed()
            await self._send(messages.batch_body(self._batch), SNAPSHOT)
        for job_id in self._running:
            if job_id in ticks:
                watcher.take_tick(job_id, ticks[job_id])

    def _start(self, resume_token: str | None) -> tuple[int | None, int]:
        if not resume_token:
            return None, 0
        return tokens.decode_counted_position(resume_token, self._bound_to, field="resume_token")

    def _note(self, opening: BatchStanding) -> None:
        self._batch = opening.batch
        self._position = self._counted = opening.position
        for job in opening.running:
            self._running[job.job_id] = _Running(job.revision, job.attempt)

    async def _check(self, start: int, jobs: int) -> None:
        if start > self._position:
            await self._store.read(lambda c: log.check_position(c, start))
        if start > self._position or jobs != self._batch.total:
            raise PositionExpired(start)

    async def _send_pending(self, watcher: Watcher) -> bool:
        """Sends what the watcher has: transitions, then ticks; whether there was any."""
        found = watcher.changes()
        sent = watcher.behind
        if watcher.behind:
            watcher.behind = False
            await self._send_missed()
        for changes in found:
            if changes.transitions[-1].position <= self._position:
                continue
            if changes.transitions[0].position <= self._position:  # some of them were sent before
                fresh = [one for one in changes.transitions if one.position > self._position]
                changes = Changes(fresh)
            await self._send_changes(changes)
            sent = True
        for body in self._ticks(watcher):
            await self._send(body, PROGRESS, 0)
            sent = True
        return sent

    async def _send_missed(self) -> None:
        """Sends all transitions after the position, from the log, a page at a time."""
        while True:
            page = await self._store.query(
                lambda c: log.of_batch(c, self._batch_id, self._position)
            )
            for changes in messages.changes(page):
                await self._send_changes(changes)
            if len(page) < log.PAGE:
                return

    async def _send_changes(self, changes: Changes) -> None:
        self._position = changes.transitions[-1].position
        if self._position > self._counted:
            self._count([one for one in changes.transitions if one.position > self._counted])
            self._counted = self._position
        await self._send(changes.body, TRANSITION, len(changes.transitions))

    def _count(self, transitions: Sequence[Transition]) -> None:
        self._batch = standing.counted_on(self._batch, transitions)
        for found in transitions:
            if found.after not in HELD:
                self._running.pop(found.job_id, None)
            elif found.job_id in self._running or len(self._running) < MOST_RUNNING:
                self._running[found.job_id] = _Running(found.revision, found.attempt)

    def _ticks(self, watcher: Watcher) -> list[bytes]:
        events = []
        for job_id, tick in watcher.ticks().items():
            running = self._running.get(job_id)
            if running is None or tick.attempt < running.attempt or tick.order <= running.order:
                continue
            if tick.attempt > running.attempt:
                watcher.keep(job_id, tick)  # the start of that attempt is not known yet
                continue
            running.order = tick.order
            events.append(messages.tick_event(job_id, running.revision, tick))
        self._hub.counts.sent[PROGRESS] += len(events)
        return messages.tick_bodies(events)

    async def _send(self, body: bytes, kind: str, number: int = 1) -> None:
        self._hub.counts.sent[kind] += number
        value = (self._position, self._batch.total)
        await self._write(body + messages.token(value, self._bound_to))
