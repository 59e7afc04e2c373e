"""What happens around every call, one interceptor a file; the first in the list is the outermost."""

import grpc

from harken.server.access.authentication import Authentication
from harken.server.access.open_connections import OpenConnections
from harken.server.access.open_streams import OpenStreams
from harken.server.interceptors.access import Access
from harken.server.interceptors.access_log import AccessLog
from harken.server.interceptors.arrival import Arrival
from harken.server.interceptors.error_status import ErrorStatus
from harken.server.interceptors.open_connections import Connections
from harken.server.interceptors.open_streams import Streams
from harken.server.interceptors.tracing import tracing_interceptor
from harken.server.metrics.server_metrics import Observe
from harken.telemetry import tracing


def interceptors(
    observe: Observe,
    authentication: Authentication | None = None,
    streams: OpenStreams | None = None,
    connections: OpenConnections | None = None,
) -> list[grpc.aio.ServerInterceptor]:
    """All of them, in order; without `streams` or `connections` they are not counted."""
    traces = [tracing_interceptor()] if tracing.wanted() else []
    counted = [Connections(connections)] if connections is not None else []
    counted += [Streams(streams)] if streams is not None else []
    return [*traces, AccessLog(observe), ErrorStatus(), *counted, Arrival(), Access(authentication)]
