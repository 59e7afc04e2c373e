"""What happens around every call, one interceptor a file; the first in the list is the outermost."""

import grpc

from harken.server.interceptors.access_log import AccessLog
from harken.server.interceptors.decoding import Decoding
from harken.server.interceptors.error_status import ErrorStatus
from harken.server.interceptors.tracing import tracing_interceptor
from harken.server.metrics.server_metrics import Observe
from harken.telemetry import tracing


def interceptors(observe: Observe) -> list[grpc.aio.ServerInterceptor]:
    """All of them, in order."""
    traces = [tracing_interceptor()] if tracing.wanted() else []
    return [*traces, AccessLog(observe), ErrorStatus(), Decoding()]
