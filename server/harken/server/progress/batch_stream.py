"""What StreamProgress sends of a batch without its items: its counts, whenever they have changed."""

from collections.abc import Awaitable
from datetime import timedelta
from typing import TypeVar

from harken.jobs import log, standing
from harken.jobs.errors import BatchNotFound, PositionExpired
from harken.jobs.job import Batch
from harken.server import tokens
from harken.server.metrics.counts import BOOKMARK, SNAPSHOT
from harken.server.progress import messages
from harken.server.progress.hub import Hub
from harken.server.progress.job_stream import Write
from harken.server.progress.openings import Openings
from harken.server.progress.wakeups import Pace, Wakeups
from harken.server.progress.watcher import Watcher
from harken.server.store import Store

T = TypeVar("T")

SNAPSHOT_EVERY_S = 0.1  # counts that change faster are not seen by anybody


class BatchStream:
    """The stream of one batch. It counts on from transition to transition."""

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
        self._bound_to = ("batch", owner, batch_id)
        self._position = 0

    async def find(self) -> None:
        """Returns when the owner has the batch. Raises BatchNotFound."""
        await self._openings.batch(self._owner, self._batch_id)

    async def run(self, resume_token: str | None, heartbeat: timedelta) -> None:
        """Writes all messages.

        Raises BatchNotFound, PositionAhead, PositionExpired, InvalidToken and ServerStopping.
        """
        start: int | None = None
        if resume_token:
            start = tokens.decode_position(resume_token, self._bound_to, field="resume_token")
        with self._hub.watch_batch(self._batch_id, items=False) as watcher:
            await self._hub.batch_ready(self._batch_id, items=False)
            opening = await unless_expired(self._openings.batch(self._owner, self._batch_id), start)
            if start is not None and start > opening.position:
                await self._store.read(lambda c: log.check_position(c, start))
            batch, self._position = opening.batch, opening.position
            known = start == opening.position
            if known:
                await self._send(messages.BOOKMARK, BOOKMARK)
            else:
                await self._send(messages.batch_body(batch), SNAPSHOT)
            pace = Pace(watcher, SNAPSHOT_EVERY_S)
            with Wakeups(self._hub, watcher, heartbeat) as wakeups:
                while not batch.ended:
                    if await wakeups.silent():
                        await self._send(messages.BOOKMARK, BOOKMARK)
                        wakeups.sent()
                    if pace.allows():
                        before, batch = batch, await self._counted(batch, watcher)
                        if batch != before:
                            await self._send(messages.batch_body(batch), SNAPSHOT)
                            wakeups.sent()

    async def _counted(self, batch: Batch, watcher: Watcher) -> Batch:
        """The batch after what the watcher has."""
        found = watcher.changes()
        if not watcher.behind:
            for changes in found:
                fresh = [one for one in changes.transitions if one.position > self._position]
                if fresh:
                    batch = standing.counted_on(batch, fresh)
                    self._position = fresh[-1].position
            if not batch.ended:
                return batch
        # Counts have no history: who was too slow for some looks anew. The end's time stands in the database.
        watcher.behind = False
        opening = await self._openings.batch(self._owner, self._batch_id)
        self._position = opening.position
        return opening.batch

    async def _send(self, body: bytes, kind: str) -> None:
        self._hub.counts.sent[kind] += 1
        await self._write(body + messages.token(self._position, self._bound_to))


async def unless_expired(opening: Awaitable[T], start: int | None) -> T:
    """How the batch stands. Raises BatchNotFound, or PositionExpired to who has a token of it."""
    try:
        return await opening
    except BatchNotFound:
        if start is None:
            raise
        raise PositionExpired(start) from None
