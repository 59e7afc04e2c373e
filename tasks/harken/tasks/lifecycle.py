"""The life of a worker: it loads the engine, then forks, beats once ready, and hands back what it cannot finish."""

import gc
import logging
import os
import signal
import threading
import time
from datetime import datetime
from importlib.metadata import version
from typing import Any

from celery import signals
from celery.worker import state

from harken.jobs import execution
from harken.jobs.bell import Bell
from harken.jobs.database import Database
from harken.jobs.workers import Heartbeat
from harken.tasks import names
from harken.tasks.app import SETTINGS, app
from harken.tasks.fork_barrier import ForkBarrier
from harken.tasks.heartbeat import HeartbeatThread
from harken.tasks.job_task import utc_now
from harken.tasks.queues import JOB_QUEUES

LOG = logging.getLogger(__name__)


class Lifecycle:
    """What one worker's main process does beside running tasks. Its methods are Celery's signal handlers."""

    def __init__(self) -> None:
        self._database = Database(SETTINGS.database_url, pooled=False)
        self._barrier = ForkBarrier()
        self._heartbeat: HeartbeatThread | None = None
        self._start_time: datetime = utc_now()
        self._name = ""
        self._queues: tuple[str, ...] = ()
        self._concurrency = 0
        self._stopping = False

    def on_ready(self, sender: Any, **_: Any) -> None:
        """The worker takes tasks from now on."""
        self._name = sender.hostname
        self._queues = tuple(sorted(sender.app.amqp.queues.consume_from))
        self._concurrency = sender.pool.limit or 1
        self._heartbeat = HeartbeatThread(
            self._database, self._barrier, self._describe, active_jobs
        )
        self._heartbeat.start()
        LOG.info("worker %s is ready: queues %s", self._name, ", ".join(self._queues))

    def on_shutting_down(self, **_: Any) -> None:
        """The worker takes no more tasks, and waits for those it has; but not for ever."""
        self._stopping = True
        timer = threading.Timer(SETTINGS.grace_period_s, self._hand_back)
        timer.daemon = True
        timer.start()

    def on_shutdown(self, **_: Any) -> None:
        """All tasks have ended."""
        if self._heartbeat is not None:
            self._heartbeat.stop()

    def _hand_back(self) -> None:
        for job_id in active_jobs():
            try:
                with self._barrier, self._database.write() as connection:
                    execution.hand_back(connection, job_id, worker=self._name, now=utc_now())
            except Exception as error:
                # The worker has to end all the same; the lease runs out, and the job is put back then.
                LOG.warning("job %s could not be handed back: %s", job_id, error)
            else:
                LOG.warning("job %s did not end within the grace period: handed back", job_id)
        Bell(SETTINGS.result_backend).ring()
        # Celery's cold shutdown: it ends the children, whose writes are refused from now on.
        os.kill(os.getpid(), signal.SIGQUIT)

    def _describe(self) -> Heartbeat:
        started = state.total_count.get(names.ANALYZE, 0)
        return Heartbeat(
            name=self._name,
            hostname=self._name.partition("@")[2],
            pid=os.getpid(),
            version=version("harken"),
            queues=self._queues,
            concurrency=self._concurrency,
            jobs_done=max(started - len(active_jobs()), 0),
            stopping=self._stopping,
            start_time=self._start_time,
        )


def active_jobs() -> list[str]:
    """The ids of the jobs that this worker's children are on."""
    return [request.id for request in tuple(state.active_requests) if request.name == names.ANALYZE]


def warm_up(**_: Any) -> None:
    """Loads what an analysis needs into the main process, from which the children are forked.

    They share its memory, and a child that takes the place of a lost one is at work at once.
    """
    if not set(JOB_QUEUES) & set(app.amqp.queues.consume_from):
        return
    from harken.audio import warm_up as warm_up_audio

    begun = time.monotonic()
    warm_up_audio()
    LOG.info("the audio engine is loaded after %.1f s", time.monotonic() - begun)
    # What lives by now lives for ever: collecting garbage in a child need not look at it, and so
    # does not copy its pages.
    gc.collect()
    gc.freeze()


def connect() -> Lifecycle:
    """Ties a lifecycle to Celery's signals."""
    lifecycle = Lifecycle()
    signals.worker_ready.connect(lifecycle.on_ready, weak=False)
    signals.worker_shutting_down.connect(lifecycle.on_shutting_down, weak=False)
    signals.worker_shutdown.connect(lifecycle.on_shutdown, weak=False)
    # Before the pool starts, and after --queues was applied.
    signals.celeryd_after_setup.connect(warm_up, weak=False)
    return lifecycle


connect()
