"""Traces by OpenTelemetry, where the environment names a place to send them to; else nothing of it is imported.

The variables are OpenTelemetry's own. Spans go out over OTLP (HTTP, protobuf) from a thread; with nobody there to take
them they are dropped, and nothing waits for that. A process that forks must not `start`: its children do.
"""

import logging
import os
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider

LOG = logging.getLogger(__name__)

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
LAST_SPANS_WITHIN_S: Final = 1.0  # a process that ends does not wait longer for who takes its spans
HEADER: Final = "traceparent"  # of W3C Trace Context
NAME: Final = "harken"

# As OpenTelemetry's own: of a process there is one.
_provider: "TracerProvider | None" = None


def wanted(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether traces are asked for, and can be had. Warns where a package is missing."""
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    if environment.get("OTEL_TRACES_EXPORTER", "otlp") != "otlp":
        return False
    if not any(environment.get(name) for name in ENDPOINTS):
        return False
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.sdk") is None:
        LOG.warning("traces are asked for, but cannot be made. Run: pip install 'harken[otel]'")
        return False
    return True


def load() -> None:
    """Imports what `start` needs, and starts nothing: for a process whose children do."""
    import_module("opentelemetry.sdk.trace.export")
    import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")


def start(service: str) -> "TracerProvider":
    """Begins to send spans of this process, as a service of this name unless OTEL_SERVICE_NAME says another."""
    global _provider
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    attributes = {"service.version": version("harken")}
    if not os.environ.get("OTEL_SERVICE_NAME"):
        attributes["service.name"] = service
    # At exit it would wait for a receiver that hangs.
    provider = TracerProvider(resource=Resource.create(attributes), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    _provider = provider
    return provider


def stop() -> None:
    """Sends what is left, as far as it is taken in time."""
    if _provider is not None:
        last = threading.Thread(target=_provider.shutdown, name="last-spans", daemon=True)
        last.start()
        last.join(LAST_SPANS_WITHIN_S)


def trace_parent() -> str | None:
    """The span that is going on, as W3C's header has it; None without one."""
    if _provider is None:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get(HEADER)


@contextmanager
def span(name: str, parent: str | None = None, **attributes: Any) -> Generator[None]:
    """A span, below the one that is going on, or below `parent`, which is such a header."""
    if _provider is None:
        yield
        return
    with _provider.get_tracer(NAME).start_as_current_span(
        name, context=_context(parent), attributes=_told(attributes)
    ):
        yield


def ended(name: str, begun_s: float, ended_s: float, **attributes: Any) -> None:
    """A span that is over, below the one that is going on; times are those of `time.time`."""
    if _provider is None:
        return
    begun, over = int(begun_s * 1e9), int(ended_s * 1e9)
    made = _provider.get_tracer(NAME).start_span(
        name, start_time=begun, attributes=_told(attributes)
    )
    made.end(over)


def _context(parent: str | None) -> "Context | None":
    if parent is None:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({HEADER: parent})


def _told(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{NAME}.{name}": value for name, value in attributes.items() if value is not None}
