"""Hands jobs to the broker, through Celery's own interfaces."""

from collections.abc import Sequence
from typing import Any

from celery import Celery

from harken.jobs.outbox import Outgoing
from harken.settings import Settings
from harken.tasks import names
from harken.tasks.queues import broker_settings, celery_priority

MESSAGES_A_BATCH = 1_000


class Publisher:
    """A Celery app that only publishes. It blocks: not for the event loop."""

    def __init__(self, settings: Settings) -> None:
        # Without a backend it does not subscribe to the result of each task.
        self._app = Celery("harken-publisher", backend="disabled://", set_as_current=False)
        self._app.conf.update(broker_settings(settings))
        self._app.conf.task_publish_retry = False

    def publish(self, jobs: Sequence[Outgoing]) -> None:
        """Sends a message for each job. Raises kombu's OperationalError with the broker gone."""
        with self._app.producer_pool.acquire(block=True) as pooled:
            producer: Any = pooled  # the type stubs are older than `batch`
            with producer.batch(MESSAGES_A_BATCH):
                for job in jobs:
                    self._app.send_task(
                        names.ANALYZE,
                        args=(job.job_id,),
                        task_id=job.job_id,
                        queue=job.queue,
                        priority=celery_priority(job.priority),
                        producer=producer,
                    )

    def close(self) -> None:
        """Closes the connections."""
        self._app.close()
