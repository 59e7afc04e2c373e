"""What the database knows, as Prometheus reads it: the same at every server process.

Read in the thread that answers, over a connection of its own, so that neither the event loop nor the calls wait for it.
What is read grows with the jobs that wait and with what has happened since the last look, not with the jobs that there
are.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from harken.jobs import clock, figures, log
from harken.jobs.figures import Step
from harken.jobs.job import ErrorKind
from harken.jobs.queueing import workers
from harken.jobs.queueing.workers import Queue, WorkerStatus
from harken.jobs.state import JobState
from harken.jobs.store.database import Database
from harken.tasks.queues import QUEUES

LOG = logging.getLogger(__name__)

READ_AGAIN_AFTER_S = 4.0  # two that ask at once get the same answer
READ_WITHIN_S = 2.0  # of the log; what is left is counted at the next look
WAIT_S = 5.0  # for another look, which a database that hangs may hold up

REQUEUED = {ErrorKind.TRANSIENT: "retry", ErrorKind.CRASHED: "crash", None: "hand_back"}
OTHER = "other"
NO_KIND = ""


class DatabaseMetrics(Collector):
    """Gauges of queues and workers, and counters that follow the transition log from the start of this process."""

    def __init__(self, url: str) -> None:
        self._database = Database(url)
        self._looking = threading.Lock()
        self._position: int | None = None
        self._steps: Counter[Step] = Counter()
        self._queues: tuple[Queue, ...] = ()
        self._workers: Counter[WorkerStatus] = Counter()
        self._looked_at = float("-inf")
        self._up = False
        self._took_s = 0.0

    def describe(self) -> Iterator[Metric]:
        """Nothing: registering it does not read the database."""
        return iter(())

    def begin(self) -> None:
        """Counts from here on. What the database cannot tell yet, the first look asks."""
        self._look()

    def collect(self) -> Iterator[Metric]:
        """What the database says now, or has said moments ago."""
        self._look()
        yield GaugeMetricFamily(
            "harken_database_up",
            "1 when the last look at the database had an answer.",
            value=self._up,
        )
        yield GaugeMetricFamily(
            "harken_database_look_seconds",
            "How long the last look at the database for these metrics took.",
            value=self._took_s,
        )
        if self._up:
            yield from self._gauges()
        yield from self._counters()

    def close(self) -> None:
        """Closes the connections."""
        self._database.close()

    def _look(self) -> None:
        if not self._looking.acquire(timeout=WAIT_S):
            self._up = False
            return
        try:
            begun = time.monotonic()
            if begun - self._looked_at < READ_AGAIN_AFTER_S:
                return
            self._read(begun + READ_WITHIN_S)
            self._looked_at = time.monotonic()
            self._took_s = self._looked_at - begun
            self._up = True
        except SQLAlchemyError as error:
            if self._up:
                LOG.warning("metrics cannot be read from the database for now: %s", error)
            self._up = False
        finally:
            self._looking.release()

    def _read(self, give_up: float) -> None:
        with self._database.read() as connection:
            now = clock.now(connection)
            self._queues = workers.list_queues(connection, QUEUES, now)
            self._workers = Counter(
                worker.status for worker in workers.list_workers(connection, now)
            )
            if self._position is None:
                self._position = log.head(connection)
        while time.monotonic() < give_up:
            # Each chunk is a transaction of its own: a long one keeps the database from cleaning up.
            with self._database.read() as connection:
                steps, reached = figures.steps_after(connection, self._position)
            self._steps += steps
            if reached < self._position + figures.CHUNK:
                self._position = reached
                return
            self._position = reached

    def _gauges(self) -> Iterator[Metric]:
        waiting = GaugeMetricFamily(
            "harken_queue_waiting_jobs", "Jobs that wait.", labels=["queue"]
        )
        running = GaugeMetricFamily(
            "harken_queue_running_jobs", "Jobs that workers are on.", labels=["queue"]
        )
        oldest = GaugeMetricFamily(
            "harken_queue_oldest_job_age_seconds",
            "Age of the oldest job that waits; 0 when none does.",
            labels=["queue"],
        )
        takers = GaugeMetricFamily(
            "harken_queue_workers", "Workers online that take from the queue.", labels=["queue"]
        )
        for queue in self._queues:
            age_s = queue.oldest_age.total_seconds() if queue.oldest_age else 0.0
            waiting.add_metric([queue.name], queue.queued)
            running.add_metric([queue.name], queue.running)
            oldest.add_metric([queue.name], age_s)
            takers.add_metric([queue.name], queue.workers)
        status = GaugeMetricFamily("harken_workers", "Workers by status.", labels=["status"])
        for known in WorkerStatus:
            status.add_metric([known.value], self._workers[known])
        yield from (waiting, running, oldest, takers, status)

    def _counters(self) -> Iterator[Metric]:
        # From 0 on, so that the first of a kind is a rise too.
        submitted = Counter({(queue,): 0 for queue in QUEUES})
        started = submitted.copy()
        requeued = Counter({(queue, why): 0 for queue in QUEUES for why in REQUEUED.values()})
        ended = Counter({(queue, *end): 0 for queue in QUEUES for end in _ends()})
        for step, number in self._steps.items():
            match step.after:
                case JobState.QUEUED if step.before is None:
                    submitted[step.queue,] += number
                case JobState.QUEUED:
                    requeued[step.queue, REQUEUED.get(step.kind, OTHER)] += number
                case JobState.RUNNING:
                    started[step.queue,] += number
                case after if after.terminal:
                    ended[step.queue, after.value, step.kind or NO_KIND] += number
                case _:
                    pass
        yield _counter("harken_jobs_submitted", "Jobs that were accepted.", ["queue"], submitted)
        yield _counter("harken_jobs_started", "Attempts that workers began.", ["queue"], started)
        yield _counter(
            "harken_jobs_requeued",
            "Attempts after which the job waits again.",
            ["queue", "reason"],
            requeued,
        )
        yield _counter(
            "harken_jobs_ended", "Jobs that have ended.", ["queue", "state", "kind"], ended
        )


def _counter(
    name: str, meaning: str, labels: list[str], numbers: Mapping[Any, int]
) -> CounterMetricFamily:
    family = CounterMetricFamily(name, meaning, labels=labels)
    for values, number in numbers.items():
        family.add_metric(values, number)
    return family


def _ends() -> Iterator[tuple[str, str]]:
    yield JobState.SUCCEEDED.value, NO_KIND
    yield JobState.CANCELLED.value, NO_KIND
    for kind in ErrorKind:
        yield JobState.FAILED.value, kind.value
