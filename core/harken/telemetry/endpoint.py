"""Where Prometheus finds the metrics of a process: HTTP, in a thread of its own."""

import os
from importlib.metadata import version
from typing import Self

from prometheus_client import (
    CollectorRegistry,
    Gauge,
    ProcessCollector,
    disable_created_metrics,
    start_http_server,
)

# By Prometheus' convention a duration's histogram has few buckets, each some times the one before.
CALL_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
WORK_BUCKETS_S = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
WAIT_BUCKETS_S = (0.01, 0.1, 1.0, 10.0, 60.0, 300.0, 1800.0, 3600.0, 6 * 3600.0, 24 * 3600.0)


class CannotExpose(Exception):
    """The address of the metrics is taken or not to be had."""

    def __init__(self, address: str, why: str) -> None:
        super().__init__(
            f"Metrics cannot be had at {address}: {why}. Choose another HARKEN_METRICS_LISTEN."
        )


def new_registry() -> CollectorRegistry:
    """A registry with what every process tells: its version, memory, CPU and open files."""
    # A second series for each counter, with the time of its first use, which Prometheus does not need.
    disable_created_metrics()
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    build = Gauge("harken_build_info", "The version that runs.", ["version"], registry=registry)
    build.labels(version("harken")).set(1)
    return registry


class MetricsEndpoint:
    """Serves a registry at HOST:PORT for as long as the context is open; port 0 takes a free one.

    Raises CannotExpose.
    """

    def __init__(self, address: str, registry: CollectorRegistry) -> None:
        host, _, port = address.rpartition(":")
        try:
            self._server, self._thread = start_http_server(
                int(port), host.strip("[]"), registry=registry
            )
        except OSError as error:
            raise CannotExpose(address, os.strerror(error.errno or 0)) from error
        self.address = f"{host}:{self._server.server_port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
