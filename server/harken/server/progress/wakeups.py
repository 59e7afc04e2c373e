"""When a stream goes on: when there is news, or when it has been silent for too long."""

import asyncio
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Self

from harken.server.errors import ServerStopping
from harken.server.progress.hub import Hub
from harken.server.progress.watcher import Watcher

DEFAULT_HEARTBEAT = timedelta(seconds=15)
TIMER_S = 0.001  # what a timer is rounded to; shorter ones would be asked for over and over
EARLIEST_SHARE = 0.75  # of the interval: the signs of life of streams that opened at once are spread over the rest


class Wakeups:
    """The waits of one stream. One timer is armed again and again, as most waits end long before it."""

    def __init__(
        self,
        hub: Hub,
        watcher: Watcher,
        heartbeat: timedelta,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._hub = hub
        self._watcher = watcher
        self._loop = asyncio.get_running_loop()
        share = EARLIEST_SHARE + (1 - EARLIEST_SHARE) * chance()
        self._interval_s = heartbeat.total_seconds() * share
        self._sent_at = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        self._timer = self._loop.call_later(self._interval_s, self._due)
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def sent(self) -> None:
        """The stream has sent something."""
        self._sent_at = self._loop.time()

    async def silent(self) -> bool:
        """Waits for news or for the next sign of life; whether that is due. Raises ServerStopping."""
        if self._hub.stopping:
            raise ServerStopping
        await self._watcher.rung()
        if self._hub.stopping:
            raise ServerStopping
        return self._loop.time() - self._sent_at >= self._interval_s

    def _due(self) -> None:
        silent_for = self._loop.time() - self._sent_at
        if silent_for >= self._interval_s:
            self._watcher.ring()
            silent_for = 0.0
        self._timer = self._loop.call_later(self._interval_s - silent_for, self._due)


class Pace:
    """Lets something be sent at most every so often, and wakes the stream when it may be sent again."""

    def __init__(self, watcher: Watcher, every_s: float) -> None:
        self._watcher = watcher
        self._every_s = every_s
        self._loop = asyncio.get_running_loop()
        self._next = self._loop.time() + every_s
        self._timer: asyncio.TimerHandle | None = None

    def allows(self) -> bool:
        """Whether it may be sent now; else the stream is woken when it may."""
        now = self._loop.time()
        if now >= self._next:
            self._next = now + self._every_s
            self._timer = None
            return True
        if self._timer is None:
            self._timer = self._loop.call_later(max(self._next - now, TIMER_S), self._over)
        return False

    def _over(self) -> None:
        self._timer = None  # a timer may come early: who asks before the time waits for another
        self._watcher.ring()
