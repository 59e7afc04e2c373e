"""Asks workers through Celery what they do now: for looking closely, never for deciding anything."""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from harken.settings import Settings
from harken.tasks.queues import broker_settings

LOG = logging.getLogger(__name__)

ANSWER_WITHIN_S = 1.0  # a worker that is well answers within 10 ms
GIVE_UP_AFTER_S = 3.0  # two rounds of questions, and a broker that has to be connected first


class BrokerAway(Exception):
    """The broker does not answer, so nobody could be asked."""

    def __init__(self, why: object) -> None:
        super().__init__(
            f"The broker does not answer, so the workers could not be asked ({why})."
            " What the database knows of them stands."
        )


@dataclass(frozen=True, kw_only=True)
class ActiveTask:
    """A task that a process of a worker's pool is on."""

    task_id: str
    name: str
    pid: int
    start_time: datetime | None


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What a worker's main process answered."""

    pool_pids: tuple[int, ...]
    active: tuple[ActiveTask, ...]

    def only(self, job_ids: Collection[str]) -> "Probe":
        """The same, of the tasks only those of these jobs."""
        return replace(self, active=tuple(one for one in self.active if one.task_id in job_ids))


class Inspector:
    """Celery's inspection, in threads of its own: it blocks, for as long as the broker lets it."""

    def __init__(self, settings: Settings) -> None:
        self._app = Celery("harken-inspector", backend="disabled://", set_as_current=False)
        self._app.conf.update(broker_settings(settings))
        # Who looks closely would rather know that the broker is away than wait for it.
        self._app.conf.broker_transport_options |= {
            "socket_timeout": ANSWER_WITHIN_S,
            "socket_connect_timeout": ANSWER_WITHIN_S,
            "max_retries": 0,
        }
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="inspector")

    async def probe(self, names: Sequence[str]) -> Mapping[str, Probe]:
        """What each of the named workers answers; who does not answer in time is left out. Raises BrokerAway."""
        if not names:
            return {}
        asked = asyncio.get_running_loop().run_in_executor(self._threads, self._ask, list(names))
        try:
            async with asyncio.timeout(GIVE_UP_AFTER_S):
                return await asked
        except (OperationalError, RedisError, OSError, TimeoutError) as error:
            LOG.warning("the workers could not be inspected: %s", error or type(error).__name__)
            raise BrokerAway(type(error).__name__) from error

    def close(self) -> None:
        """Closes the connections, without waiting for questions that are still open."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._app.close()

    def _ask(self, names: list[str]) -> dict[str, Probe]:
        with self._app.connection_for_write() as connection:

            def ask(command: str, of: list[str]) -> dict[str, Any]:
                inspect = self._app.control.inspect(
                    destination=of, timeout=ANSWER_WITHIN_S, connection=connection
                )
                return getattr(inspect, command)() or {}

            stats = ask("stats", names)
            active = ask("active", list(stats)) if stats else {}
        return {
            name: Probe(pool_pids=_pids(stats[name]), active=tuple(map(_task, active[name])))
            for name in stats
            if name in active
        }


def _pids(stats: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(stats.get("pool", {}).get("processes", ()))


def _task(told: Mapping[str, Any]) -> ActiveTask:
    start = told.get("time_start")
    return ActiveTask(
        task_id=str(told.get("id")),
        name=str(told.get("name")),
        pid=told.get("worker_pid") or 0,
        start_time=datetime.fromtimestamp(start, UTC) if start else None,
    )
