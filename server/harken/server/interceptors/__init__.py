"""What happens around every call, one interceptor a file; the first in the list is the outermost."""

import grpc

from harken.server.interceptors.access_log import AccessLog
from harken.server.interceptors.error_status import ErrorStatus
from harken.server.metrics import Observe


def interceptors(observe: Observe) -> list[grpc.aio.ServerInterceptor]:
    """All of them, in order."""
    return [AccessLog(observe), ErrorStatus()]
