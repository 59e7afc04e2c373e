"""The Celery app: `celery -A harken.tasks.app worker`, `beat`, `flower` work with it as with any other."""

import os
from datetime import timedelta
from typing import Any

from celery import Celery

from harken.redis.address import RedisAddress
from harken.redis.connections import celery_options
from harken.settings import Settings
from harken.tasks import names
from harken.tasks.queues import (
    ANSWER_WITHIN_S,
    AUDIO,
    CONNECT_WITHIN_S,
    MAINTENANCE,
    RESULT_EXPIRES_S,
    broker_settings,
)
from harken.tasks.results import BACKENDS

# More often than each is due: a task that was done lately does nothing, and one that was missed is not missed for long.
SENT_EVERY = timedelta(hours=1)


def make_app(settings: Settings) -> Celery:
    """The app of these settings, without tasks."""
    progress = RedisAddress.of(settings.result_backend)
    # Given here, it wins over a CELERY_RESULT_BACKEND of the environment.
    app = Celery("harken", backend=progress.celery_url, set_as_current=True)
    loader: Any = app.loader
    loader.override_backends = BACKENDS
    app.conf.update(broker_settings(settings))
    app.conf.update(
        result_backend=progress.celery_url,
        redis_backend_use_ssl=False if progress.tls is None else dict(progress.tls),
        result_backend_transport_options=celery_options(
            progress, connect_within_s=CONNECT_WITHIN_S
        ),
        result_expires=RESULT_EXPIRES_S,
        redis_socket_timeout=ANSWER_WITHIN_S,
        redis_socket_connect_timeout=CONNECT_WITHIN_S,
        redis_retry_on_timeout=True,
        redis_backend_health_check_interval=10,
        task_acks_late=True,
        # A child's loss is written to SQL, which publishes the job again: the old message is done with.
        task_reject_on_worker_lost=False,
        task_track_started=False,
        task_time_limit=settings.task_time_limit_s,
        task_soft_time_limit=settings.task_soft_time_limit_s,
        task_routes={
            **{
                name: {"queue": MAINTENANCE}
                for name in (*names.JOB_TASKS, *names.MAINTENANCE_TASKS)
            },
            names.ANALYZE: {"queue": AUDIO},
        },
        worker_consumer="harken.tasks.consumer:PromptConsumer",
        worker_pool="harken.tasks.pool:JobPool",
        worker_disable_prefetch=True,
        worker_prefetch_multiplier=1,
        worker_concurrency=settings.concurrency,
        worker_max_tasks_per_child=settings.max_tasks_per_child,
        worker_proc_alive_timeout=30,
        # Flower turns them on in all workers for as long as it runs; unheard, they would cost as much as the tasks.
        worker_send_task_events=False,
        task_send_sent_event=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        beat_schedule=_schedule(settings),
        beat_max_loop_interval=60,
    )
    return app


def _schedule(settings: Settings) -> dict[str, dict[str, Any]]:
    sent = {
        "clean-up": names.CLEAN_UP,
        "optimize": names.OPTIMIZE,
        "clean-storage": names.CLEAN_STORAGE,
    }
    if settings.backup_dir:
        sent["back-up"] = names.BACK_UP
    return {name: {"task": task, "schedule": SENT_EVERY} for name, task in sent.items()}


SETTINGS = Settings.from_environment(os.environ)
app = make_app(SETTINGS)
app.conf.imports = (
    "harken.tasks.logs",
    "harken.tasks.schema_check",
    "harken.tasks.attempt",
    "harken.tasks.maintenance",
    "harken.tasks.lifecycle",
    "harken.tasks.traces",
    "harken.tasks.revoking",
)
