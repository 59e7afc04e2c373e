"""Watches whose every event is noted: through the client, which hides what is repeated, and past it, which does not."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from random import Random
from typing import Any

import grpc

from harken.client import AsyncClient, BatchSnapshot, JobSnapshot, ProgressTick, Transition
from harken.client.convert_update import updates_in
from harken.client.errors import HarkenError
from harken.client.reconnect import Reconnect
from harken.v1.job_service_pb2 import StreamProgressRequest
from tests.chaos.history import Notes, WatchEvent
from tests.chaos.parts import now

PATIENCE = Reconnect(give_up_after=120.0, max_pause=1.0)
AGAIN_AFTER_S = 0.2
LEAVES = 0.03  # the chance to leave after an event, and to come back with the token
AWAY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.UNKNOWN)


class Watches:
    """All watches of a run."""

    def __init__(self, clients: Sequence[AsyncClient], notes: Notes) -> None:
        self._clients = clients
        self._notes = notes
        self._number = 0
        self._open: dict[asyncio.Task[None], tuple[int, str]] = {}

    def open_job(self, job_id: str, chance: Random) -> None:
        """Watches a job to its end."""
        client = chance.choice(self._clients)
        raw = chance.random() < 0.5
        updates = self._raw(job_id, Random(chance.random())) if raw else client.watch(job_id)
        self._start(job_id, updates)

    def open_batch(self, batch_id: str) -> None:
        """Watches a batch to its end."""
        self._start(batch_id, self._clients[0].watch_batch(batch_id))

    async def close(self, within_s: float) -> None:
        """Waits for all to end; those that do not are noted as abandoned."""
        if self._open:
            await asyncio.wait(self._open, timeout=within_s)
        for task, (watch, target) in tuple(self._open.items()):
            task.cancel()
            self._note(watch, target, "abandoned")
        await asyncio.gather(*self._open, return_exceptions=True)

    def _start(self, target: str, updates: AsyncIterator[Any]) -> None:
        self._number += 1
        task = asyncio.create_task(self._follow(self._number, target, updates))
        self._open[task] = (self._number, target)
        task.add_done_callback(self._open.pop)

    async def _follow(self, watch: int, target: str, updates: AsyncIterator[Any]) -> None:
        try:
            async for update in updates:
                self._take(watch, target, update)
        except (HarkenError, grpc.aio.AioRpcError) as error:
            self._note(watch, target, "error", state=str(error)[:200])
        else:
            self._note(watch, target, "over")

    async def _raw(self, job_id: str, chance: Random) -> AsyncIterator[Any]:
        """All that the streams say, each taking over where the last one left off, at any server."""
        token, ended = "", False
        while not ended:
            stubs = chance.choice(self._clients)._stubs  # the client's own calls hide repetitions
            request = StreamProgressRequest(job_id=job_id, resume_token=token)
            stream: Any = stubs.jobs.StreamProgress(request)
            try:
                async for message in stream:
                    for update in updates_in(message, token):
                        yield update
                    token = message.resume_token
                    if chance.random() < LEAVES:
                        break
                else:
                    ended = True
            except grpc.aio.AioRpcError as error:
                if error.code() not in AWAY:
                    raise
                await asyncio.sleep(AGAIN_AFTER_S)
            finally:
                stream.cancel()

    def _take(self, watch: int, target: str, update: Any) -> None:
        match update:
            case JobSnapshot():
                job = update.job
                known = {"revision": job.revision, "attempt": job.attempt, "state": job.state.value}
                self._note(watch, target, "snapshot", **known)
            case Transition():
                self._note(
                    watch,
                    target,
                    "transition",
                    revision=update.revision,
                    attempt=update.attempt,
                    before=update.from_state.value if update.from_state else "",
                    state=update.to_state.value,
                    happened=update.time.timestamp() if update.time else 0.0,
                )
            case ProgressTick():
                known = {"revision": update.revision, "attempt": update.attempt}
                self._note(watch, target, "tick", fraction=update.progress.fraction, **known)
            case BatchSnapshot():
                batch = update.batch
                self._note(watch, target, "batch", total=batch.total, done=batch.ended)
            case _:
                self._note(watch, target, type(update).__name__)

    def _note(self, watch: int, target: str, kind: str, **known: Any) -> None:
        self._notes.add(WatchEvent(watch=watch, target=target, kind=kind, time=now(), **known))
