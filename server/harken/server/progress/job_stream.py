"""What StreamProgress sends of a job, from the first message to the end."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from harken.jobs import log
from harken.jobs.errors import JobNotFound, PositionAhead, PositionExpired
from harken.jobs.state import HELD, JobState
from harken.server import tokens
from harken.server.metrics.counts import BOOKMARK, PROGRESS, SNAPSHOT, TRANSITION
from harken.server.progress import messages
from harken.server.progress.hub import Hub
from harken.server.progress.messages import Changes, JobOpening
from harken.server.progress.openings import Openings
from harken.server.progress.wakeups import Wakeups
from harken.server.progress.watcher import Watcher
from harken.server.store import Store

Write = Callable[[bytes], Awaitable[None]]


class JobStream:
    """The stream of one job. It sends every transition once, by revision, and no tick that is stale."""

    def __init__(
        self,
        hub: Hub,
        store: Store,
        openings: Openings,
        write: Write,
        owner: str,
        job_id: str,
    ) -> None:
        self._hub = hub
        self._store = store
        self._openings = openings
        self._write = write
        self._owner = owner
        self._job_id = job_id
        self._bound_to = ("job", owner, job_id)
        self._position = 0
        self._revision = 0
        self._attempt = 0
        self._state = JobState.QUEUED
        self._tick_order = (0, 0)

    async def find(self) -> None:
        """Returns when the owner has the job. Raises JobNotFound."""
        await self._openings.job(self._owner, self._job_id)

    async def run(self, resume_token: str | None, heartbeat: timedelta) -> None:
        """Writes all messages.

        Raises JobNotFound, PositionAhead, PositionExpired, InvalidToken and ServerStopping.
        """
        start: int | None = None
        if resume_token:
            start = tokens.decode_position(resume_token, self._bound_to, field="resume_token")
        with self._hub.watch_job(self._job_id) as watcher:
            await self._begin(watcher, start)
            with Wakeups(self._hub, watcher, heartbeat) as wakeups:
                while True:
                    if await self._send_pending(watcher):
                        wakeups.sent()
                    if self._state.terminal:
                        return
                    if await wakeups.silent():
                        await self._send(messages.BOOKMARK, BOOKMARK)
                        wakeups.sent()

    async def _begin(self, watcher: Watcher, start: int | None) -> None:
        """Sends where the job stands, or what came after `start`. What was read for that is not kept."""
        await self._hub.job_ready(self._job_id)
        opening = await self._open(start)
        if start is None:
            self._note(opening)
            await self._send(opening.body, SNAPSHOT)
        elif start == opening.position:
            self._note(opening)
            await self._send(messages.BOOKMARK, BOOKMARK)
        else:
            self._position = start
            await self._send_missed()
        if opening.tick is not None:
            watcher.take_tick(self._job_id, opening.tick)

    async def _open(self, start: int | None) -> JobOpening:
        try:
            opening = await self._openings.job(self._owner, self._job_id)
        except JobNotFound:
            if start is None:
                raise
            raise PositionExpired(start) from None  # the token shows that it was there
        if start is not None and start > opening.position:
            raise PositionAhead(start)
        return opening

    def _note(self, opening: JobOpening) -> None:
        job = opening.job
        self._position = opening.position
        self._revision, self._attempt, self._state = job.revision, job.attempt, job.state

    async def _send_pending(self, watcher: Watcher) -> bool:
        """Sends a tick of the attempt that runs, transitions, a tick of a new attempt; whether there was any."""
        sent = await self._send_tick(watcher)
        found = watcher.changes()
        if watcher.behind:
            watcher.behind = False
            await self._send_missed()
            sent = True
        for changes in found:
            if changes.transitions[-1].revision <= self._revision:
                continue
            if changes.transitions[0].revision <= self._revision:  # some of them were sent before
                fresh = [one for one in changes.transitions if one.revision > self._revision]
                changes = Changes(fresh)
            await self._send_changes(changes)
            await self._send_tick(watcher)
            sent = True
        return sent

    async def _send_missed(self) -> None:
        """Sends all transitions after the position, from the log, a page at a time."""
        while True:
            page = await self._store.query(lambda c: log.of_job(c, self._job_id, self._position))
            for changes in messages.changes(page):
                await self._send_changes(changes)
            if len(page) < log.PAGE:
                return

    async def _send_changes(self, changes: Changes) -> None:
        last = changes.transitions[-1]
        self._revision, self._attempt = last.revision, last.attempt
        self._state, self._position = last.after, last.position
        await self._send(changes.body, TRANSITION, len(changes.transitions))

    async def _send_tick(self, watcher: Watcher) -> bool:
        tick = watcher.ticks().get(self._job_id)
        if tick is None:
            return False
        if tick.attempt > self._attempt:
            watcher.keep(self._job_id, tick)  # the start of that attempt is not known yet
            return False
        current = self._state in HELD and tick.attempt == self._attempt
        if not current or tick.order <= self._tick_order:
            return False
        self._tick_order = tick.order
        await self._send(messages.tick_body(self._job_id, self._revision, tick), PROGRESS)
        return True

    async def _send(self, body: bytes, kind: str, number: int = 1) -> None:
        self._hub.counts.sent[kind] += number
        await self._write(body + messages.token(self._position, self._bound_to))
