"""Progress as Celery's result backend carries it: one Redis subscription for all who watch, and the bell on it too.

Celery keeps the newest state of a task under a key and publishes it on the channel of the same name.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from harken.jobs.bell import CHANNEL, redis_url

LOG = logging.getLogger(__name__)

KEY_PREFIX = "celery-task-meta-"
ACKNOWLEDGED_WITHIN_S = 1.0  # with Redis gone a watcher goes on without ticks
READ_WITHIN_S = 1.0
RECONNECT_FIRST_S = 0.1
RECONNECT_LONGEST_S = 2.0


@dataclass(frozen=True, slots=True)
class Tick:
    """How far an attempt is. `(attempt, seq)` orders the ticks of a job."""

    attempt: int
    seq: int
    stage: str
    fraction: float
    message: str

    @property
    def order(self) -> tuple[int, int]:
        """What tells an older tick from a newer."""
        return self.attempt, self.seq


def parse(payload: bytes | str | None) -> Tick | None:
    """The tick in what Celery stored; None when it stored something else."""
    if not payload:
        return None
    try:
        meta = json.loads(payload)
        result = meta["result"]
        if meta["status"] != "PROGRESS":
            return None
        return Tick(
            attempt=int(result["attempt"]),
            seq=int(result["seq"]),
            stage=str(result["stage"]),
            fraction=float(result["fraction"]),
            message=str(result["message"]),
        )
    except (ValueError, KeyError, TypeError):
        return None


class TickSubscription:
    """The subscription of one server process; channels are counted by who wants them.

    `on_tick(job_id, tick)` and `on_bell()` are called on the event loop, `on_bell` also after a gap.
    """

    def __init__(
        self, url: str, on_tick: Callable[[str, Tick], None], on_bell: Callable[[], None]
    ) -> None:
        self._on_tick = on_tick
        self._on_bell = on_bell
        # A subscription is silent for as long as nothing happens.
        self._listener = Redis.from_url(
            redis_url(url), socket_timeout=None, socket_connect_timeout=2, health_check_interval=0
        )
        self._reader = Redis.from_url(
            redis_url(url), socket_timeout=READ_WITHIN_S, socket_connect_timeout=READ_WITHIN_S
        )
        self._pubsub: Any = None
        self._wanted: dict[str, int] = {}
        self._acknowledged: dict[str, asyncio.Event] = {}
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Connects, and again whenever the connection is lost."""
        self._task = asyncio.create_task(self._run(), name="tick-subscription")

    async def stop(self) -> None:
        """Ends the subscription."""
        self._stopping = True  # redis-py can take a cancellation for a lost connection
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._listener.aclose()
        await self._reader.aclose()

    async def subscribe(self, job_id: str) -> None:
        """Returns once Redis has acknowledged, or cannot: then ticks come when it is back."""
        self._wanted[job_id] = self._wanted.get(job_id, 0) + 1
        acknowledged = self._acknowledged.setdefault(job_id, asyncio.Event())
        if self._pubsub is None:
            return
        try:
            if self._wanted[job_id] == 1:
                await self._pubsub.subscribe(KEY_PREFIX + job_id)
            async with asyncio.timeout(ACKNOWLEDGED_WITHIN_S):
                await acknowledged.wait()
        except (RedisError, OSError, TimeoutError):
            LOG.warning("no acknowledgement of the subscription to %s", job_id)
        _stay_cancelled()

    async def unsubscribe(self, job_id: str) -> None:
        """Gives up one subscription; the last one closes the channel."""
        self._wanted[job_id] -= 1
        if self._wanted[job_id]:
            return
        del self._wanted[job_id], self._acknowledged[job_id]
        if self._pubsub is not None:
            try:
                await self._pubsub.unsubscribe(KEY_PREFIX + job_id)
            except (RedisError, OSError) as error:
                LOG.debug("unsubscribing from %s: %s", job_id, error)

    async def read(self, job_ids: Sequence[str]) -> dict[str, Tick]:
        """The newest ticks of jobs that have one; none with Redis gone."""
        if not job_ids:
            return {}
        try:
            stored = await self._reader.mget([KEY_PREFIX + job_id for job_id in job_ids])
        except (RedisError, OSError, TimeoutError):
            stored = [None] * len(job_ids)
        _stay_cancelled()
        ticks = {job_id: parse(meta) for job_id, meta in zip(job_ids, stored, strict=True)}
        return {job_id: tick for job_id, tick in ticks.items() if tick is not None}

    async def ring(self) -> None:
        """Rings the bell for the other processes."""
        with suppress(RedisError, OSError, TimeoutError):  # they look by themselves within a second
            await self._reader.publish(CHANNEL, b"")

    async def _run(self) -> None:
        delay = RECONNECT_FIRST_S
        while not self._stopping:
            try:
                await self._listen()
            except (RedisError, OSError, TimeoutError) as error:
                if delay == RECONNECT_FIRST_S:
                    LOG.warning("Redis is gone, progress ticks pause: %s", error)
            if self._pubsub is not None:
                delay = RECONNECT_FIRST_S
                self._pubsub = None
            for acknowledged in self._acknowledged.values():
                acknowledged.clear()
            if not self._stopping:
                await asyncio.sleep(delay)
            delay = min(delay * 2, RECONNECT_LONGEST_S)

    async def _listen(self) -> None:
        async with self._listener.pubsub() as pubsub:
            await pubsub.subscribe(CHANNEL, *(KEY_PREFIX + job_id for job_id in self._wanted))
            self._pubsub = pubsub
            async for message in pubsub.listen():
                self._take(message)

    def _take(self, message: dict[str, Any]) -> None:
        channel = message["channel"].decode()
        job_id = channel.removeprefix(KEY_PREFIX)
        match message["type"]:
            case "subscribe" if channel == CHANNEL:
                self._on_bell()  # whatever was rung in a gap was not heard
            case "subscribe" if job_id in self._acknowledged:
                self._acknowledged[job_id].set()
            case "message" if channel == CHANNEL:
                self._on_bell()
            case "message":
                tick = parse(message["data"])
                if tick is not None:
                    self._on_tick(job_id, tick)
            case _:
                pass


def _stay_cancelled() -> None:
    """Cancels the caller again when redis-py has swallowed that: on Python 3.11 its `wait_for` does."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
