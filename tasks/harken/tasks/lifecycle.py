"""The life of a worker: it loads the engine, then forks, beats once ready, and hands back what it cannot finish."""

import gc
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from datetime import datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from celery import signals
from celery.worker import state

from harken.jobs.queueing.workers import Heartbeat
from harken.jobs.store.database import Database
from harken.tasks import names
from harken.tasks.app import SETTINGS, app
from harken.tasks.children import Children
from harken.tasks.consumer import PromptConsumer
from harken.tasks.endings import Endings, Sentence
from harken.tasks.fork_barrier import ForkBarrier
from harken.tasks.guard import LOOK_EVERY_S, Guard, Limits
from harken.tasks.heartbeat import HeartbeatThread
from harken.tasks.job_task import utc_now
from harken.tasks.queues import ANALYSIS_QUEUES
from harken.tasks.request import JobRequest

if TYPE_CHECKING:
    from harken.tasks.metrics import WorkerMetrics

LOG = logging.getLogger(__name__)

# How long the hand-back may take, before the worker ends all the same; leases run out then.
# `harken up` waits 5 s.
HAND_BACK_WITHIN_S = 4.0
# What Celery's cold shutdown gets after that: it asks Redis, and where that hangs it waits for ever.
END_WITHIN_S = 3.0


class Lifecycle:
    """What one worker's main process does beside running tasks. Its methods are Celery's signal handlers."""

    def __init__(self) -> None:
        self._database = Database(SETTINGS.database_url, pooled=False)
        self._barrier = ForkBarrier()
        self._endings = Endings()
        self._children = Children(self._endings)
        JobRequest.children = self._children
        self._metrics = _metrics(self._children)
        PromptConsumer.metrics = self._metrics
        self._guard = Guard(self._children, Limits.of(SETTINGS))
        self._heartbeat: HeartbeatThread | None = None
        self._main_pid = 0
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
        if self._metrics is not None:
            self._metrics.set_slots(self._concurrency)
        self._heartbeat = HeartbeatThread(
            self._database,
            self._barrier,
            SETTINGS,
            describe=self._describe,
            children=self._children,
            ended=self._endings,
            on_lost=self._metrics.process_lost if self._metrics else None,
        )
        self._heartbeat.start()
        self._guard.start()
        LOG.info("worker %s is ready: queues %s", self._name, ", ".join(self._queues))

    def on_shutting_down(self, how: str = "", **_: Any) -> None:
        """The worker takes no more tasks, and waits for those it has; but not for ever.

        After SIGQUIT (a cold shutdown) not at all. Celery would end right after it, with nothing written.
        """
        first, self._stopping = not self._stopping, True
        if how == "Cold":
            self._hand_back()
            _later(END_WITHIN_S, self._exit)
        elif first:
            _later(SETTINGS.grace_period_s, self._end)

    def on_shutdown(self, **_: Any) -> None:
        """All tasks have ended."""
        if self._heartbeat is not None:
            self._guard.stop()
            self._heartbeat.stop()
        if self._metrics is not None:
            self._metrics.stop()

    def on_child(self, **_: Any) -> None:
        """In a new child: ends it when the main process died before the child could ask to die with it."""
        if self._main_pid and os.getppid() != self._main_pid:  # 0 where it was not forked from it
            os._exit(1)

    def on_setup(self, **_: Any) -> None:
        """Before the pool starts."""
        self._main_pid = os.getpid()
        if self._metrics is not None:
            self._metrics.expose(SETTINGS.metrics_listen)
        warm_up()

    def _end(self) -> None:
        self._hand_back()
        # Celery's cold shutdown, in case that it waits for something else.
        os.kill(os.getpid(), signal.SIGQUIT)
        time.sleep(END_WITHIN_S)
        self._exit()

    def _exit(self) -> None:
        """Ends this process whatever it waits for: its jobs are given back, and its children die with it."""
        LOG.warning("the worker does not end by itself, as where Redis hangs, and is ended")
        os._exit(os.EX_OK)

    def _hand_back(self) -> None:
        # The process first, then the job: nobody else gets it before this one has stopped.
        give_up = time.monotonic() + HAND_BACK_WITHIN_S
        while self._children.running() or self._endings:
            self._guard.kill_all(
                Sentence(cause="it did not end within the grace period", hand_back=True)
            )
            if time.monotonic() > give_up:
                LOG.warning("jobs could not be handed back, their leases run out")
                break
            time.sleep(LOOK_EVERY_S)

    def _describe(self) -> Heartbeat:
        started = sum(state.total_count.get(name, 0) for name in names.JOB_TASKS)
        return Heartbeat(
            name=self._name,
            hostname=self._name.partition("@")[2],
            pid=os.getpid(),
            version=version("harken"),
            queues=self._queues,
            concurrency=self._concurrency,
            jobs_done=max(started - len(self._children.running()), 0),
            stopping=self._stopping,
            start_time=self._start_time,
        )


def _metrics(children: Children) -> "WorkerMetrics | None":
    """The worker's metrics, where they are wanted: the library takes its time to import."""
    if not SETTINGS.metrics_listen:
        return None
    from harken.tasks.metrics import WorkerMetrics

    return WorkerMetrics(children)


def _later(seconds: float, work: Callable[[], None]) -> None:
    """Runs `work` in so many seconds, if the process still lives."""
    timer = threading.Timer(seconds, work)
    timer.daemon = True
    timer.start()


def warm_up() -> None:
    """Loads what an analysis needs into the main process, from which the children are forked.

    They share its memory, and a child that takes the place of a lost one is at work at once.
    """
    if not set(ANALYSIS_QUEUES) & set(app.amqp.queues.consume_from):
        return
    from harken.audio import warm_up as warm_up_audio
    from harken.audio.version import engine_version

    begun = time.monotonic()
    warm_up_audio()
    engine_version()
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
    signals.celeryd_after_setup.connect(lifecycle.on_setup, weak=False)
    signals.worker_process_init.connect(lifecycle.on_child, weak=False)
    return lifecycle


connect()
