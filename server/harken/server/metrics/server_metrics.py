"""The metrics of a server process: what it counts and measures itself, as Prometheus reads it."""

from collections.abc import Callable, Iterator
from functools import cache

from google.protobuf import descriptor_pool
from prometheus_client import Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from harken.server.metrics.counts import SENT, TARGETS, Counts
from harken.server.metrics.database_metrics import DatabaseMetrics
from harken.settings import Settings
from harken.tasks.queues import QUEUES
from harken.telemetry.endpoint import CALL_BUCKETS_S, new_registry


class CountsCollector(Collector):
    """The counts as families of metrics."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        """What they are now."""
        counts = self._counts
        streams = GaugeMetricFamily(
            "harken_streams_open", "Streams of progress that are open.", labels=["target"]
        )
        for field, target in TARGETS.items():
            streams.add_metric([target], counts.streams_open[field])
        sent = CounterMetricFamily(
            "harken_stream_events_sent",
            "Events, snapshots and bookmarks sent on streams.",
            labels=["kind"],
        )
        for kind in SENT:
            sent.add_metric([kind], counts.sent[kind])
        published = CounterMetricFamily(
            "harken_relay_published", "Jobs that the relay gave to the broker.", labels=["queue"]
        )
        for queue in QUEUES:
            published.add_metric([queue], counts.published[queue])
        yield from (streams, sent, published)
        yield CounterMetricFamily(
            "harken_stream_events_conflated",
            "Ticks of progress that gave way to a newer one before they were sent.",
            value=counts.ticks_conflated,
        )
        yield CounterMetricFamily(
            "harken_ticks_refused",
            "Ticks of progress that were not signed by one of the signing keys.",
            value=counts.ticks_refused,
        )
        yield GaugeMetricFamily(
            "harken_relay_lag_seconds",
            "Seconds since the relay had published all that the windows have room for.",
            value=counts.relay_lag_s(),
        )
        yield CounterMetricFamily(
            "harken_broker_messages_lost",
            "Messages that the broker had lost, and that were published again.",
            value=counts.messages_lost,
        )
        yield CounterMetricFamily(
            "harken_lease_expiries",
            "Jobs whose worker did not renew its lease, put back or failed.",
            value=counts.leases_expired,
        )
        yield GaugeMetricFamily(
            "harken_leading", "1 at the server that leads the housekeeping.", value=counts.leads
        )


class ServerMetrics:
    """All metrics of one server process."""

    def __init__(self, settings: Settings, counts: Counts) -> None:
        self.registry = new_registry()
        self._calls = Histogram(
            "harken_rpc_seconds",
            "Time of calls with one answer.",
            ["method", "code"],
            buckets=CALL_BUCKETS_S,
            registry=self.registry,
        )
        self._streams = Counter(
            "harken_rpc_streams",
            "Calls that have ended whose answers are streams.",
            ["method", "code"],
            registry=self.registry,
        )
        self.registry.register(CountsCollector(counts))
        self._database = DatabaseMetrics(settings.database_url)
        self.registry.register(self._database)

    def begin(self) -> None:
        """Counts what happens to jobs from here on; asks the database."""
        self._database.begin()

    def observe(self, method: str, code: str, elapsed_s: float) -> None:
        """A call has ended; `method` is such as `/harken.v1.JobService/GetJob`."""
        if is_stream(method):
            self._streams.labels(method, code).inc()
        else:
            self._calls.labels(method, code).observe(elapsed_s)

    def close(self) -> None:
        """Closes the connections."""
        self._database.close()


Observe = Callable[[str, str, float], None]


@cache
def is_stream(method: str) -> bool:
    """Whether the answer to a method is a stream, whose length says nothing of how fast it is."""
    name = method.lstrip("/").replace("/", ".")
    try:
        return bool(descriptor_pool.Default().FindMethodByName(name).server_streaming)
    except KeyError:  # reflection by its old name
        return True
