"""Clients that do, one thing after the other, what a seeded chance tells them."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random

from tests.chaos.recorder import Recorder
from tests.chaos.watches import Watches
from tests.chaos.work import Work, any_work, poison, short

CLIENTS = 4
PAUSE_S = 0.5  # of one client between two calls, on average
NEWEST = 12  # jobs that calls are about, mostly: those that something still happens to
BATCH = (2, 8)
REDRIVEN = 3  # jobs of one redrive that names them
BY_FILTER = 0.25  # the part of the redrives that names none
FORCED = 0.4  # the part of the others that is forced
DISMISSED = 3  # jobs of one dismissal, and as many that have failed


@dataclass(frozen=True, kw_only=True)
class Redrive:
    """The jobs, none for all that failed, and whether also those that were retried before."""

    job_ids: tuple[str, ...]
    forced: bool


@dataclass(kw_only=True)
class Known:
    """What the clients have to talk about."""

    submits: dict[str, Work] = field(default_factory=dict[str, Work])  # by request_id
    batches: dict[str, tuple[Work, ...]] = field(default_factory=dict[str, tuple[Work, ...]])
    redrives: dict[str, Redrive] = field(default_factory=dict[str, Redrive])
    job_ids: list[str] = field(default_factory=list[str])
    batch_ids: list[str] = field(default_factory=list[str])
    poisoned: int = 0


class Traffic:
    """The clients of one run."""

    def __init__(self, seed: int, recorder: Recorder, watches: Watches, *, poisons: int) -> None:
        self._seed = seed
        self._recorder = recorder
        self._watches = watches
        self._poisons = poisons
        self._known = Known()
        # How often of a hundred.
        self._calls: dict[Callable[[Random], Awaitable[None]], int] = {
            self._submit: 35,
            self._repeat: 8,
            self._reuse: 2,
            self._submit_batch: 5,
            self._redrive: 4,
            self._repeat_redrive: 2,
            self._dismiss: 3,
            self._cancel: 13,
            self._cancel_batch: 2,
            self._get: 8,
            self._list: 4,
            self._watch: 14,
            self._watch_batch: 3,
        }

    async def run(self) -> None:
        """Goes on until it is cancelled; calls that are under way then are finished."""
        async with asyncio.TaskGroup() as group:
            for number in range(CLIENTS):
                group.create_task(self._client(Random(f"client {number} {self._seed}")))

    async def _client(self, chance: Random) -> None:
        while True:
            (call,) = chance.choices(list(self._calls), list(self._calls.values()))
            # What was asked for is waited for, so that its outcome is known.
            await asyncio.shield(call(chance))
            await asyncio.sleep(chance.expovariate(1 / PAUSE_S))

    async def repeat_all(self, request_ids: set[str]) -> None:
        """Repeats the submits and redrives of these request_ids: how unknown outcomes are resolved."""
        for request_id in sorted(request_ids):
            if request_id in self._known.submits:
                await self._recorder.submit(self._known.submits[request_id], request_id)
            elif request_id in self._known.redrives:
                await self._retry(self._known.redrives[request_id], request_id)
            else:
                await self._recorder.submit_batch(self._known.batches[request_id], request_id)

    async def _submit(self, chance: Random) -> None:
        if self._known.poisoned < self._poisons:
            self._known.poisoned += 1
            await self._send(poison(), _request_id(chance))
        else:
            await self._send(any_work(chance), _request_id(chance))

    async def _repeat(self, chance: Random) -> None:
        if self._known.submits:
            request_id = _recent(list(self._known.submits), chance)
            await self._send(self._known.submits[request_id], request_id)

    async def _reuse(self, chance: Random) -> None:
        """The same request_id with another payload; the first one is known to have been accepted."""
        if self._known.submits:
            request_id = _recent(list(self._known.submits), chance)
            first = self._known.submits[request_id]
            other = Work(path=first.path, features=first.features, priority=0)
            await self._recorder.submit(other, request_id)

    async def _send(self, work: Work, request_id: str) -> None:
        self._known.submits[request_id] = work
        self._learn(self._known.job_ids, await self._recorder.submit(work, request_id))

    async def _submit_batch(self, chance: Random) -> None:
        one = short(chance)
        works = tuple(
            Work(path=short(chance).path, features=one.features, priority=one.priority)
            for _ in range(chance.randint(*BATCH))
        )
        request_id = _request_id(chance)
        self._known.batches[request_id] = works
        self._learn(self._known.batch_ids, await self._recorder.submit_batch(works, request_id))

    async def _redrive(self, chance: Random) -> None:
        """Runs jobs once more, whether or not they have ended: named ones, or what a filter finds."""
        if self._known.job_ids:
            named = {_recent(self._known.job_ids, chance): None for _ in range(REDRIVEN)}
            job_ids = () if chance.random() < BY_FILTER else tuple(named)
            forced = bool(job_ids) and chance.random() < FORCED
            await self._retry(Redrive(job_ids=job_ids, forced=forced), _request_id(chance))

    async def _repeat_redrive(self, chance: Random) -> None:
        if self._known.redrives:
            request_id = _recent(list(self._known.redrives), chance)
            await self._retry(self._known.redrives[request_id], request_id)

    async def _retry(self, redrive: Redrive, request_id: str) -> None:
        self._known.redrives[request_id] = redrive
        made = await self._recorder.redrive(redrive.job_ids, request_id, forced=redrive.forced)
        for job_id in made:
            self._learn(self._known.job_ids, job_id)

    async def _dismiss(self, chance: Random) -> None:
        """Dismisses jobs, whether or not they have failed; some are known to have."""
        if self._known.job_ids:
            failed = self._recorder.seen_failed()
            named = [_recent(self._known.job_ids, chance) for _ in range(DISMISSED)]
            named += chance.sample(failed, min(DISMISSED, len(failed)))
            await self._recorder.dismiss(tuple(dict.fromkeys(named)))

    async def _cancel(self, chance: Random) -> None:
        if self._known.job_ids:
            await self._recorder.cancel(_recent(self._known.job_ids, chance))

    async def _cancel_batch(self, chance: Random) -> None:
        if self._known.batch_ids:
            await self._recorder.cancel_batch(_recent(self._known.batch_ids, chance))

    async def _get(self, chance: Random) -> None:
        if self._known.job_ids:
            await self._recorder.get(_recent(self._known.job_ids, chance))

    async def _list(self, _: Random) -> None:
        await self._recorder.list_newest()

    async def _watch(self, chance: Random) -> None:
        if self._known.job_ids:
            self._watches.open_job(_recent(self._known.job_ids, chance), chance)

    async def _watch_batch(self, chance: Random) -> None:
        if self._known.batch_ids:
            self._watches.open_batch(_recent(self._known.batch_ids, chance))

    @staticmethod
    def _learn(ids: list[str], new: str | None) -> None:
        if new is not None and new not in ids:
            ids.append(new)


def _request_id(chance: Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def _recent(ids: list[str], chance: Random) -> str:
    return chance.choice(ids[-NEWEST:] if chance.random() < 0.8 else ids)
