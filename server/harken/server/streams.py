"""What StreamProgress sends of a job and of a batch, from the first message to the end."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from harken.jobs import log, queries
from harken.jobs.job import Batch, Job, Transition
from harken.jobs.state import JobState
from harken.server import convert, tokens
from harken.server.errors import ServerStopping
from harken.server.hub import Hub, Watcher
from harken.server.store import Store
from harken.server.ticks import Tick
from harken.v1.job_service_pb2 import Bookmark, Events, Snapshot, StreamProgressResponse

DEFAULT_HEARTBEAT = timedelta(seconds=15)
BATCH_SNAPSHOT_EVERY_S = 0.1  # counts that change faster are not seen by anybody

Responses = AsyncIterator[StreamProgressResponse]


class Wakeups:
    """Waits for news of a watcher, or until the stream has been silent for a heartbeat."""

    def __init__(self, hub: Hub, watcher: Watcher, heartbeat: timedelta) -> None:
        self._hub = hub
        self._watcher = watcher
        self._heartbeat_s = heartbeat.total_seconds()
        self._sent_at = time.monotonic()

    def sent(self) -> None:
        """The stream has sent something."""
        self._sent_at = time.monotonic()

    async def news(self) -> bool:
        """True when there is news, False when a sign of life is due. Raises ServerStopping."""
        if self._hub.stopping:
            raise ServerStopping
        silent_for = time.monotonic() - self._sent_at
        try:
            async with asyncio.timeout(max(self._heartbeat_s - silent_for, 0)):
                await self._watcher.wake.wait()
        except TimeoutError:
            return False
        if self._hub.stopping:
            raise ServerStopping
        self._watcher.wake.clear()
        return True


class JobStream:
    """The stream of one job. It sends every transition once, by revision, and no tick that is stale."""

    def __init__(self, hub: Hub, store: Store, job_id: str, owner: str) -> None:
        self._hub = hub
        self._store = store
        self._job_id = job_id
        self._owner = owner
        self._bound_to = ["job", job_id]
        self._position = 0
        self._revision = 0
        self._attempt = 0
        self._state = JobState.QUEUED
        self._tick_order = (0, 0)

    async def responses(self, resume_token: str | None, heartbeat: timedelta) -> Responses:
        """All messages. Raises JobNotFound, PositionAhead, InvalidToken, ServerStopping."""
        start = self._start_position(resume_token)
        async with self._hub.watch_job(self._job_id) as watcher:
            job, missed = await self._store.read(lambda c: self._stand(c, start))
            if start is None:
                self._note(job)
                yield self._response(snapshot=Snapshot(job=convert.job_message(job)))
            elif missed:
                yield self._transitions(missed)
                self._note(job)
            else:
                self._note(job)
                yield self._response(bookmark=Bookmark())
            current = (await self._hub.ticks(self._job_id)).get(self._job_id)
            if current is not None:
                watcher.take_tick(current)
            wakeups = Wakeups(self._hub, watcher, heartbeat)
            while True:
                for response in await self._pending(watcher):
                    yield response
                    wakeups.sent()
                if self._state.terminal:
                    return
                if not await wakeups.news():
                    yield self._response(bookmark=Bookmark())
                    wakeups.sent()

    def _start_position(self, resume_token: str | None) -> int | None:
        if not resume_token:
            return None
        return tokens.decode_position(resume_token, self._bound_to, field="resume_token")

    def _stand(self, connection: Connection, start: int | None) -> tuple[Job, list[Transition]]:
        """The job and the transitions after `start`; notes the position of its newest."""
        job = queries.get_job(connection, self._job_id, owner=self._owner)
        if start is not None:
            log.check_position(connection, start)
        transitions = log.of_job(connection, self._job_id)
        self._position = transitions[-1].position
        missed = [found for found in transitions if start is not None and found.position > start]
        return job, missed

    def _note(self, job: Job) -> None:
        self._revision, self._attempt, self._state = job.revision, job.attempt, job.state

    async def _pending(self, watcher: Watcher) -> list[StreamProgressResponse]:
        """What the watcher has: a tick of the attempt that runs, transitions, a tick of a new attempt."""
        responses = self._tick(watcher)
        if watcher.behind:
            watcher.transitions.clear()
            watcher.behind = False
            missed = await self._store.read(lambda c: log.of_job(c, self._job_id, self._position))
            watcher.transitions.extend(missed)
        fresh = [found for found in watcher.transitions if found.revision > self._revision]
        watcher.transitions.clear()
        if fresh:
            last = fresh[-1]
            self._revision, self._attempt = last.revision, last.attempt
            self._state, self._position = last.after, last.position
            responses.append(self._transitions(fresh))
            responses += self._tick(watcher)
        return responses

    def _tick(self, watcher: Watcher) -> list[StreamProgressResponse]:
        tick = watcher.tick
        if tick is None or tick.attempt > self._attempt:
            return []  # one of an attempt whose start is not known yet stays for later
        watcher.tick = None
        if not self._is_current(tick):
            return []
        self._tick_order = tick.order
        event = convert.tick_event(self._job_id, self._revision, tick, datetime.now(UTC))
        return [self._response(events=Events(events=[event]))]

    def _is_current(self, tick: Tick) -> bool:
        running = self._state in (JobState.RUNNING, JobState.CANCELLING)
        return running and tick.attempt == self._attempt and tick.order > self._tick_order

    def _transitions(self, transitions: list[Transition]) -> StreamProgressResponse:
        events = [convert.transition_event(found) for found in transitions]
        return self._response(events=Events(events=events))

    def _response(
        self,
        *,
        snapshot: Snapshot | None = None,
        events: Events | None = None,
        bookmark: Bookmark | None = None,
    ) -> StreamProgressResponse:
        return StreamProgressResponse(
            snapshot=snapshot,
            events=events,
            bookmark=bookmark,
            resume_token=tokens.encode(self._position, self._bound_to),
        )


class BatchStream:
    """The stream of one batch: its counts, whenever they have changed."""

    def __init__(self, hub: Hub, store: Store, batch_id: str, owner: str) -> None:
        self._hub = hub
        self._store = store
        self._batch_id = batch_id
        self._owner = owner
        self._bound_to = ["batch", batch_id]

    async def responses(self, resume_token: str | None, heartbeat: timedelta) -> Responses:
        """All messages. Raises BatchNotFound, PositionAhead, InvalidToken, ServerStopping."""
        start: int | None = None
        if resume_token:
            start = tokens.decode_position(resume_token, self._bound_to, field="resume_token")
        async with self._hub.watch_batch(self._batch_id) as watcher:
            batch, position, unchanged = await self._store.read(lambda c: self._stand(c, start))
            if unchanged:
                yield self._bookmark(position)
            else:
                yield self._snapshot(batch, position)
            wakeups = Wakeups(self._hub, watcher, heartbeat)
            while not batch.ended:
                if not await wakeups.news():
                    yield self._bookmark(position)
                    wakeups.sent()
                    continue
                watcher.transitions.clear()
                watcher.behind = False
                before = batch
                batch, position, _ = await self._store.read(lambda c: self._stand(c, None))
                if batch != before:
                    yield self._snapshot(batch, position)
                    wakeups.sent()
                    await asyncio.sleep(BATCH_SNAPSHOT_EVERY_S)

    def _stand(self, connection: Connection, start: int | None) -> tuple[Batch, int, bool]:
        """The batch, the position up to which it is told, and whether nothing came after `start`."""
        batch = queries.get_batch(connection, self._batch_id, owner=self._owner)
        position = log.head(connection)
        if start is None:
            return batch, position, False
        log.check_position(connection, start)
        return batch, position, not log.batch_changed(connection, self._batch_id, start)

    def _snapshot(self, batch: Batch, position: int) -> StreamProgressResponse:
        snapshot = Snapshot(batch=convert.batch_message(batch))
        return StreamProgressResponse(snapshot=snapshot, resume_token=self._token(position))

    def _bookmark(self, position: int) -> StreamProgressResponse:
        return StreamProgressResponse(bookmark=Bookmark(), resume_token=self._token(position))

    def _token(self, position: int) -> str:
        return tokens.encode(position, self._bound_to)
