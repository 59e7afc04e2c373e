"""The broker as the relay sees it: it takes jobs, and tells which it still has. All through Celery's own interfaces."""

import asyncio
import json
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from celery import Celery
from kombu.common import maybe_declare
from kombu.exceptions import KombuError
from kombu.transport.redis import Channel
from redis.exceptions import RedisError

from harken.jobs.queueing.outbox import Outgoing
from harken.settings import Settings
from harken.tasks import names
from harken.tasks.queues import QUEUES, broker_settings, celery_priority
from harken.telemetry import tracing

T = TypeVar("T")

MESSAGES_A_BATCH = 1_000
# A broker that hangs is given up after that, long before a worker would: nothing is lost by trying again.
ANSWER_WITHIN_S = 3
CONNECT_WITHIN_S = 2


class BrokerGone(Exception):
    """The broker cannot be reached, or does not answer; what was being published may have arrived."""


@dataclass(frozen=True, kw_only=True)
class Held:
    """The jobs whose messages the broker has: waiting in a queue, or handed to a worker that has not finished."""

    waiting: frozenset[str]
    handed_out: frozenset[str]


class Publisher:
    """A Celery app that only publishes. Its calls block in a thread of its own, one after the other."""

    def __init__(self, settings: Settings) -> None:
        # Without a backend it does not subscribe to the result of each task.
        self._app = Celery("harken-publisher", backend="disabled://", set_as_current=False)
        self._app.conf.update(broker_settings(settings))
        self._app.conf.broker_transport_options |= {
            "socket_timeout": ANSWER_WITHIN_S,
            "socket_connect_timeout": CONNECT_WITHIN_S,
        }
        self._app.conf.task_publish_retry = False
        with self._app.connection_for_write() as connection:  # which does not connect by itself
            self._errors = (KombuError, RedisError, OSError, *connection.connection_errors)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="publisher")

    async def publish(self, jobs: Sequence[Outgoing]) -> None:
        """Sends a message for each job. Raises BrokerGone."""
        await self._run(lambda producer: self._publish(producer, jobs))

    async def ping(self) -> None:
        """Returns when the broker answers, or is one that cannot be asked. Raises BrokerGone."""
        await self._run(_ping)

    async def held(self) -> Held | None:
        """The jobs that the broker has; None for a broker that cannot tell. Raises BrokerGone."""
        return await self._run(_held)

    async def close(self) -> None:
        """Closes the connections."""
        await asyncio.to_thread(self._thread.shutdown)
        self._app.close()

    async def _run(self, work: Callable[[Any], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._with, work)

    def _with(self, work: Callable[[Any], T]) -> T:
        try:
            with self._app.producer_pool.acquire(block=True) as producer:
                return work(producer)
        except self._errors as error:
            raise BrokerGone(str(error.__cause__ or error)) from error

    def _publish(self, producer: Any, jobs: Sequence[Outgoing]) -> None:
        # What `send_task` does, without what is the same for all messages: routing, declaring, showing the arguments.
        amqp = self._app.amqp
        queues = {name: amqp.queues[name] for name in {job.queue for job in jobs}}
        for queue in queues.values():
            maybe_declare(queue, producer.channel)
        with producer.batch(MESSAGES_A_BATCH):
            for job in jobs:
                with _traced(job) as headers:
                    name = names.task_of(job.kind)
                    message = amqp.as_task_v2(
                        job.job_id,
                        name,
                        (job.job_id,),
                        argsrepr=f"('{job.job_id}',)",
                        kwargsrepr="{}",
                    )
                    amqp.send_task_message(
                        producer,
                        name,
                        message,
                        queue=queues[job.queue],
                        priority=celery_priority(job.priority),
                        declare=(),
                        headers=headers,
                    )


@contextmanager
def _traced(job: Outgoing) -> Generator[dict[str, str]]:
    """A span of the job's trace, and the headers that carry it on; also where this process traces nothing."""
    if job.trace_parent is None:
        yield {}
        return
    with tracing.span("publish", job.trace_parent, job_id=job.job_id, queue=job.queue):
        yield {tracing.HEADER: tracing.trace_parent() or job.trace_parent}


def _ping(producer: Any) -> None:
    channel = producer.channel
    if isinstance(channel, Channel):
        with channel.conn_or_acquire() as redis:
            redis.ping()


def _held(producer: Any) -> Held | None:
    # Kombu's channel knows the names of its keys, which depend on the settings.
    channel = producer.channel
    if not isinstance(channel, Channel):
        return None
    with channel.conn_or_acquire() as redis, redis.pipeline(transaction=False) as pipeline:
        for queue in QUEUES:
            for step in channel.priority_steps:
                key = channel._q_for_pri(queue, step)  # pyright: ignore[reportAttributeAccessIssue] # the stubs lack it
                pipeline.lrange(key, 0, -1)
        # After the queues: what is handed out in between is then seen twice rather than not at all.
        pipeline.hvals(channel.unacked_key)
        *queues, unacked = pipeline.execute()
    return Held(
        waiting=_job_ids(json.loads(message) for queue in queues for message in queue),
        handed_out=_job_ids(json.loads(entry)[0] for entry in unacked),
    )


def _job_ids(messages: Iterable[Any]) -> frozenset[str]:
    return frozenset(message["headers"]["id"] for message in messages)
