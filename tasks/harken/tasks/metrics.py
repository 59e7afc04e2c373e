"""The metrics of a worker: what its children measure, counted in the main process."""

import logging
import threading

from prometheus_client import Counter, Gauge, Histogram

from harken.tasks.children import Children
from harken.tasks.measurement import ANSWERED, CACHED_RESULT, Measurement, Pipe
from harken.telemetry.endpoint import (
    WAIT_BUCKETS_S,
    WORK_BUCKETS_S,
    CannotExpose,
    MetricsEndpoint,
    new_registry,
)

LOG = logging.getLogger(__name__)


class WorkerMetrics:
    """All metrics of one worker. Its children touch none of them: they write to the pipe."""

    def __init__(self, children: Children) -> None:
        self.registry = new_registry()
        self._queued = Histogram(
            "harken_job_queued_seconds",
            "Time from a job's submit to its first attempt.",
            ["queue"],
            buckets=WAIT_BUCKETS_S,
            registry=self.registry,
        )
        self._attempts = Histogram(
            "harken_attempt_seconds",
            "Time of attempts, from the claim to the end's commit.",
            ["queue", "outcome"],
            buckets=WORK_BUCKETS_S,
            registry=self.registry,
        )
        self._stages = Histogram(
            "harken_stage_seconds",
            "Time of the stages of an analysis.",
            ["stage"],
            buckets=WORK_BUCKETS_S,
            registry=self.registry,
        )
        self._audio = Counter(
            "harken_audio_analysed_seconds",
            "Seconds of audio that were decoded.",
            registry=self.registry,
        )
        self._cpu = Counter(
            "harken_analysis_cpu_seconds",
            "CPU time of attempts, of all threads of the child.",
            registry=self.registry,
        )
        self._asked = Histogram(
            "harken_language_model_seconds",
            "Time for which a language model was asked for insights, all attempts of a job together.",
            ["outcome"],
            buckets=WORK_BUCKETS_S,
            registry=self.registry,
        )
        self._asked.labels(ANSWERED)  # there from the start, as most workers never ask one
        self._claims_lost = Counter(
            "harken_claims_lost",
            "Deliveries whose job was not to be had: duplicates, cancelled or not yet due.",
            registry=self.registry,
        )
        self._cached = Counter(
            "harken_cached_results",
            "Jobs that got the result of an earlier one, since their file had not changed.",
            registry=self.registry,
        )
        self._processes_lost = Counter(
            "harken_processes_lost",
            "Children that died or were killed while they were on a job.",
            registry=self.registry,
        )
        self._refused = Counter(
            "harken_messages_refused",
            "Messages that could not be read, or were not signed by one of the signing keys.",
            registry=self.registry,
        )
        slots = Gauge(
            "harken_worker_slots", "Jobs that the worker runs at once.", registry=self.registry
        )
        busy = Gauge("harken_worker_busy_slots", "Jobs that it is on.", registry=self.registry)
        self.set_slots = slots.set
        self.process_lost = self._processes_lost.inc
        self.message_refused = self._refused.inc
        busy.set_function(lambda: len(children.running()))
        self._pipe = Pipe()
        self._thread = threading.Thread(target=self._receive, name="measurements", daemon=True)
        self._endpoint: MetricsEndpoint | None = None

    def expose(self, address: str) -> None:
        """Exposes them at HOST:PORT, and lets the children that are forked from now on measure.

        Ends the process where the address is not to be had.
        """
        try:
            self._endpoint = MetricsEndpoint(address, self.registry)
        except CannotExpose as error:
            raise SystemExit(f"Error: {error}") from error
        LOG.info("metrics at http://%s/metrics", self._endpoint.address)
        self._thread.start()
        Pipe.of_worker = self._pipe

    def stop(self) -> None:
        """Ends the threads."""
        if self._endpoint is not None:
            self._pipe.close()
            self._thread.join()
            self._endpoint.__exit__()

    def take(self, measurement: Measurement) -> None:
        """Counts what a child has measured."""
        if not measurement.queue:
            known = measurement == CACHED_RESULT
            (self._cached if known else self._claims_lost).inc()
            return
        if measurement.queued_s is not None:
            self._queued.labels(measurement.queue).observe(measurement.queued_s)
        self._attempts.labels(measurement.queue, measurement.outcome).observe(measurement.run_s)
        for stage, seconds in measurement.stages.items():
            self._stages.labels(stage).observe(seconds)
        self._audio.inc(measurement.audio_s)
        self._cpu.inc(measurement.cpu_s)
        if measurement.asked:
            self._asked.labels(measurement.asked).observe(measurement.asked_s)

    def _receive(self) -> None:
        try:
            self._pipe.receive(self.take)
        except Exception:
            LOG.exception("measurements of the children are lost from here on")
