"""OpenTelemetry's own interceptor, around calls with one answer: a stream's span would last while somebody watches."""

import grpc

from harken.server.metrics.server_metrics import is_stream

SERVICES = "/harken.v1."


def tracing_interceptor() -> grpc.aio.ServerInterceptor:
    """An interceptor that takes up the caller's trace."""
    from opentelemetry.instrumentation.grpc import aio_server_interceptor

    return aio_server_interceptor(filter_=is_traced)


def is_traced(call: grpc.HandlerCallDetails) -> bool:
    """Whether a call is one of harken's, with one answer."""
    method = str(call.method)
    return method.startswith(SERVICES) and not is_stream(method)
