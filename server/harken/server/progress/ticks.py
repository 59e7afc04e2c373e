"""Progress as Celery's result backend carries it: one Redis subscription for all who watch, and the bell on it too.

Celery keeps the newest state of a task under a key and publishes it on the channel of the same name.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from harken.jobs.queueing.bell import CHANNEL, WORK
from harken.redis.connections import connect_async, connect_pool

LOG = logging.getLogger(__name__)

KEY_PREFIX = "celery-task-meta-"
ACKNOWLEDGED_WITHIN_S = 1.0  # with Redis gone a watcher goes on without ticks
HEARD_AFTER_S = (
    0.1  # when this process was too busy to hear: what has arrived meanwhile is heard now
)
READ_WITHIN_S = 1.0
READERS = 4  # connections for reads, each of which takes well below a millisecond
CHANNELS_A_COMMAND = 1_000
ASK_EVERY_S = (
    0.005  # the first of many watchers is asked for at once, those of the next moment together
)
RECONNECT_FIRST_S = 0.1
RECONNECT_LONGEST_S = 2.0
# How a connection tells that it is lost; a TimeoutError is an OSError, and uvloop's word for it is RuntimeError.
GONE = (RedisError, OSError, RuntimeError)


@dataclass(frozen=True, slots=True)
class Tick:
    """How far an attempt is, and when that was heard. `(attempt, seq)` orders the ticks of a job."""

    attempt: int
    seq: int
    stage: str
    fraction: float
    message: str
    time: datetime

    @property
    def order(self) -> tuple[int, int]:
        """What tells an older tick from a newer."""
        return self.attempt, self.seq


def parse(
    payload: bytes | str | None, now: datetime, read: Callable[[bytes | str], Any] = json.loads
) -> Tick | None:
    """The tick in what Celery stored; None when it stored something else."""
    if not payload:
        return None
    try:
        meta = read(payload)
        result = meta["result"]
        if meta["status"] != "PROGRESS":
            return None
        return Tick(
            attempt=int(result["attempt"]),
            seq=int(result["seq"]),
            stage=str(result["stage"]),
            fraction=float(result["fraction"]),
            message=str(result["message"]),
            time=now,
        )
    except (ValueError, KeyError, TypeError):
        return None


class TickSubscription:
    """The subscription of one server process; channels are counted by who wants them.

    What is wanted and what no longer is goes to Redis in few commands, however many watchers come and go at once.
    `on_tick(job_id, tick)` and `on_bell(word)` are called on the event loop, `on_bell` also after a gap.
    """

    def __init__(
        self,
        url: str,
        on_tick: Callable[[str, Tick], None],
        on_bell: Callable[[bytes], None],
        read: Callable[[bytes | str], Any] = json.loads,
    ) -> None:
        self._payload_of = read
        self._on_tick = on_tick
        self._on_bell = on_bell
        # A subscription is silent for as long as nothing happens. It is `_run` that connects again.
        self._listener = connect_async(
            url,
            socket_timeout=None,
            socket_connect_timeout=2,
            health_check_interval=0,
            retry=Retry(NoBackoff(), 0),
        )
        # Who finds all connections taken waits: a pool that refuses would drop ticks when many ask.
        self._reader = connect_pool(
            url,
            connections=READERS,
            wait_s=READ_WITHIN_S,
            socket_timeout=READ_WITHIN_S,
            socket_connect_timeout=READ_WITHIN_S,
        )
        self._connected = False
        self._heard = (
            0  # messages; while some come, Redis is alive and what is missing is on its way
        )
        self._silent = False  # an acknowledgement did not come, which was said
        self._wanted: dict[str, int] = {}
        self._changed: set[str] = set()  # wanted or no longer wanted, and Redis was not told yet
        self._change = asyncio.Event()
        self._acknowledged: set[str] = set()
        self._waiting: dict[str, asyncio.Future[None]] = {}
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

    def want(self, job_id: str) -> None:
        """Wants the ticks of a job; `acknowledged` tells from when on they come."""
        self._wanted[job_id] = self._wanted.get(job_id, 0) + 1
        if self._wanted[job_id] == 1:
            self._note_change(job_id)

    def unwant(self, job_id: str) -> None:
        """Takes one `want` back; the last one closes the channel."""
        self._wanted[job_id] -= 1
        if not self._wanted[job_id]:
            del self._wanted[job_id]
            self._note_change(job_id)
            self._let_go(self._waiting.pop(job_id, None))

    async def acknowledged(self, job_ids: Sequence[str]) -> None:
        """Returns once Redis has acknowledged, or cannot: then ticks come when it is back."""
        for job_id in job_ids:
            if job_id in self._acknowledged or not self._connected:
                continue
            waiting = self._waiting.get(job_id)
            if waiting is None:
                waiting = self._waiting[job_id] = asyncio.get_running_loop().create_future()
            while not waiting.done():
                heard = self._heard
                await asyncio.wait((waiting,), timeout=ACKNOWLEDGED_WITHIN_S)
                if heard == self._heard:
                    await asyncio.sleep(HEARD_AFTER_S)
                if heard == self._heard and not waiting.done():
                    if not self._silent:
                        LOG.warning("Redis does not acknowledge subscriptions")
                    self._silent = True
                    return

    async def read(self, job_ids: Sequence[str]) -> dict[str, Tick]:
        """The newest ticks of jobs that have one; none with Redis gone."""
        if not job_ids:
            return {}
        try:
            stored = await self._reader.mget([KEY_PREFIX + job_id for job_id in job_ids])
        except GONE:
            stored = [None] * len(job_ids)
        _stay_cancelled()
        now = datetime.now(UTC)
        ticks = {
            job_id: parse(meta, now, self._payload_of)
            for job_id, meta in zip(job_ids, stored, strict=True)
        }
        return {job_id: tick for job_id, tick in ticks.items() if tick is not None}

    async def ring(self) -> None:
        """Rings the bell for the other processes."""
        with suppress(*GONE):  # they look by themselves within a second
            await self._reader.publish(CHANNEL, WORK)

    async def _run(self) -> None:
        delay = RECONNECT_FIRST_S
        while not self._stopping:
            try:
                await self._listen()
            except GONE as error:
                if delay == RECONNECT_FIRST_S:
                    LOG.warning("Redis is gone, progress ticks pause: %s", error)
            if self._connected:
                delay = RECONNECT_FIRST_S
                self._connected = False
            self._acknowledged.clear()
            # Acknowledgements that were waited for will not come.
            waiting, self._waiting = self._waiting, {}
            self._let_go(*waiting.values())
            if not self._stopping:
                await asyncio.sleep(delay)
            delay = min(delay * 2, RECONNECT_LONGEST_S)

    async def _listen(self) -> None:
        async with self._listener.pubsub() as pubsub:
            await pubsub.subscribe(CHANNEL)
            self._changed = set(self._wanted)
            self._change.set()
            self._connected = True
            parts = [
                asyncio.create_task(self._hear(pubsub), name="ticks-heard"),
                asyncio.create_task(self._ask(pubsub), name="ticks-asked"),
            ]
            try:
                ended, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
                for part in ended:
                    part.result()
            finally:
                for part in parts:
                    part.cancel()
                await asyncio.gather(*parts, return_exceptions=True)

    async def _hear(self, pubsub: Any) -> None:
        async for message in pubsub.listen():
            self._take(message)
            if self._stopping:
                return

    async def _ask(self, pubsub: Any) -> None:
        """Tells Redis what is wanted and what no longer is; what came and went in between it never hears of."""
        asked: set[str] = set()
        while not self._stopping:
            await self._change.wait()
            self._change.clear()
            changed, self._changed = self._changed, set()
            new = [job_id for job_id in changed if job_id in self._wanted and job_id not in asked]
            gone = [job_id for job_id in changed if job_id not in self._wanted and job_id in asked]
            asked.update(new)
            asked.difference_update(gone)
            self._acknowledged.difference_update(gone)
            for some in _commands(gone):
                await pubsub.unsubscribe(*some)
            for some in _commands(new):
                await pubsub.subscribe(*some)
            await asyncio.sleep(ASK_EVERY_S)

    def _note_change(self, job_id: str) -> None:
        self._changed.add(job_id)
        self._change.set()

    def _let_go(self, *waiting: asyncio.Future[None] | None) -> None:
        for future in waiting:
            if future is not None and not future.done():
                future.set_result(None)

    def _take(self, message: dict[str, Any]) -> None:
        self._heard += 1
        channel = message["channel"].decode()
        job_id = channel.removeprefix(KEY_PREFIX)
        match message["type"]:
            case "subscribe" if channel == CHANNEL:
                self._on_bell(WORK)  # whatever was rung in a gap was not heard
            case "subscribe":
                self._silent = False
                if job_id in self._wanted:
                    self._acknowledged.add(job_id)
                self._let_go(self._waiting.pop(job_id, None))
            case "message" if channel == CHANNEL:
                self._on_bell(message["data"])
            case "message":
                tick = parse(message["data"], datetime.now(UTC), self._payload_of)
                if tick is not None:
                    self._on_tick(job_id, tick)
            case _:
                pass


def _commands(job_ids: Sequence[str]) -> Iterator[list[str]]:
    """The channels of jobs in portions of a command each."""
    for start in range(0, len(job_ids), CHANNELS_A_COMMAND):
        yield [KEY_PREFIX + job_id for job_id in job_ids[start : start + CHANNELS_A_COMMAND]]


def _stay_cancelled() -> None:
    """Cancels the caller again when redis-py has swallowed that: on Python 3.11 its `wait_for` does."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
