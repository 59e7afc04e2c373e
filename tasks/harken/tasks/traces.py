"""Traces of a worker's children: Celery's own instrumentation takes up the trace that a job was submitted in.

The main process has no spans, and no thread that sends them, which a fork would cut in two.
"""

from importlib import import_module
from typing import Any

from celery import signals

from harken.telemetry import tracing

SERVICE = "harken-worker"


def on_setup(**_: Any) -> None:
    """Before the pool starts: imports what every child needs."""
    if tracing.wanted():
        tracing.load()
        import_module("opentelemetry.instrumentation.celery")


def on_child(**_: Any) -> None:
    """In a new child."""
    if tracing.wanted():
        from opentelemetry.instrumentation.celery import CeleryInstrumentor

        CeleryInstrumentor().instrument(tracer_provider=tracing.start(SERVICE))


def on_child_end(**_: Any) -> None:
    """In a child that ends."""
    tracing.stop()


signals.celeryd_after_setup.connect(on_setup, weak=False)
signals.worker_process_init.connect(on_child, weak=False)
signals.worker_process_shutdown.connect(on_child_end, weak=False)
