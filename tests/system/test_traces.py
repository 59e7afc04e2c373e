"""A job is one trace, from the caller's span to the stages of its analysis; and who takes the spans may be gone."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.conftest import eventually
from tests.system.conftest import SUCCEEDED, System, clean_environment, harken_up

CALLER = """
import sys
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.grpc import GrpcInstrumentorClient
from opentelemetry.instrumentation.grpc.filters import method_name, negate
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

trace.set_tracer_provider(TracerProvider())
trace.get_tracer_provider().add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
GrpcInstrumentorClient(filter_=negate(method_name("StreamProgress"))).instrument()

from harken.client import Client

with Client(sys.argv[1]) as client, trace.get_tracer("caller").start_as_current_span("my work"):
    print(client.submit("piece.mp3").result(60).media.duration_s)
"""


class Receiver:
    """Takes spans over OTLP, as a collector does."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, Span]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.take(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def take(self, request: ExportTraceServiceRequest) -> None:
        """Keeps each span with the name of its service."""
        for of_resource in request.resource_spans:
            told = {item.key: item.value.string_value for item in of_resource.resource.attributes}
            for of_scope in of_resource.scope_spans:
                self.spans += [(told["service.name"], span) for span in of_scope.spans]

    def named(self, name: str) -> list[tuple[str, Span]]:
        """The spans of a name."""
        return [(service, span) for service, span in self.spans if span.name == name]


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """A receiver."""
    made = Receiver()
    thread = threading.Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()


def to(url: str) -> dict[str, str]:
    """The variables that send spans to a receiver, soon."""
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_BSP_SCHEDULE_DELAY": "100"}


@pytest.fixture(scope="module")
def traced(
    receiver: Receiver, media: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    """A system that sends its spans to the receiver."""
    data = tmp_path_factory.mktemp("traces") / "data"
    with harken_up(data, media, HARKEN_CONCURRENCY="1", **to(receiver.url)) as running:
        yield running


def test_a_job_is_one_trace_from_the_caller_to_the_stages(
    traced: System, receiver: Receiver
) -> None:
    caller = subprocess.run(
        [sys.executable, "-c", CALLER, traced.address],
        env=clean_environment(**to(receiver.url), OTEL_SERVICE_NAME="caller"),
        capture_output=True,
        text=True,
        timeout=90,
        check=True,
    )
    assert float(caller.stdout) == pytest.approx(12, abs=0.5)
    eventually(lambda: receiver.named("end") and receiver.named("my work"))
    ((_, root),) = receiver.named("my work")

    def whole_trace() -> list[tuple[str, Span]]:
        """Each process sends what has ended, so a span is there before the one that it is in."""
        found = [
            (service, span) for service, span in receiver.spans if span.trace_id == root.trace_id
        ]
        known = {b"", *(span.span_id for _, span in found)}
        return found if all(span.parent_span_id in known for _, span in found) else []

    of_trace = eventually(whole_trace)
    assert isinstance(of_trace, list)
    by_id = {span.span_id: span for _, span in of_trace}

    def way(name: str, service: str) -> list[str]:
        """The names from a span up to its root."""
        (span,) = [span for told, span in of_trace if (told, span.name) == (service, name)]
        names = [span.name]
        while span.parent_span_id:
            span = by_id[span.parent_span_id]
            names.append(span.name)
        return names

    submit = "/harken.v1.JobService/SubmitAnalysis"
    up = ["run/harken.analyze", "publish", submit, submit, "my work"]
    assert way("publish", "harken-server") == up[1:]
    for name in ("claim", "decode", "timbre", "rhythm", "summary", "end"):
        assert way(name, "harken-worker") == [name, *up]


def test_the_stages_of_a_trace_follow_each_other(traced: System, receiver: Receiver) -> None:
    job = traced.submit("piece.mp3")
    traced.follow(job.job_id)

    def of_job() -> list[Span]:
        spans = [
            span
            for _, span in receiver.spans
            for item in span.attributes
            if (item.key, item.value.string_value) == ("harken.job_id", job.job_id)
        ]
        return spans if {"publish", "end"} <= {span.name for span in spans} else []

    spans = eventually(of_job)
    assert isinstance(spans, list)
    in_order = sorted(spans, key=lambda span: span.start_time_unix_nano)
    assert [span.name for span in in_order] == [
        "publish",
        "claim",
        "decode",
        "timbre",
        "rhythm",
        "summary",
        "end",
    ]
    stages = in_order[2:6]
    for earlier, later in pairwise(stages):
        assert earlier.end_time_unix_nano <= later.start_time_unix_nano


@contextmanager
def deaf() -> Generator[str]:
    """A receiver that takes connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(50)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def gone() -> Generator[str]:
    """The address of a receiver that has ended."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    yield url


@pytest.mark.parametrize("receiver_that_is", [deaf, gone])
def test_nobody_waits_for_a_receiver(media: Path, tmp_path: Path, receiver_that_is: Any) -> None:
    """Its own timeout is 10 s: neither the jobs nor the stop of the system may take that long."""
    given = {"HARKEN_CONCURRENCY": "1", "HARKEN_MAX_TASKS_PER_CHILD": "2"}
    with receiver_that_is() as url:
        with harken_up(tmp_path / "data", media, **given, **to(url)) as system:
            system.client.submit("piece.mp3", features=["media"]).result(60)
            begun = time.monotonic()
            # Each child ends after two of them.
            jobs = [system.submit("piece.mp3", features=[1]) for _ in range(4)]
            for job in jobs:
                system.follow(job.job_id)
            assert time.monotonic() - begun < 9
            assert {system.get(job.job_id).state for job in jobs} == {SUCCEEDED}
            begun = time.monotonic()
        assert time.monotonic() - begun < 9


OFF = """
import sys
import harken.server.serve, harken.server.interceptors
from harken.tasks.app import app
app.loader.import_default_modules()
harken.server.interceptors.interceptors(print)
ours = ("opentelemetry.exporter", "opentelemetry.instrumentation", "opentelemetry.sdk.trace")
print([name for name in sys.modules if name.startswith(ours)])
"""


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_nothing_of_it_is_imported_unless_it_is_asked_for(variables: dict[str, str]) -> None:
    """Of what harken has of it: redis-py imports the rest by itself where it is installed."""
    shown = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", OFF],
        env={**clean_environment(), **variables, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    assert shown == "[]\n"
