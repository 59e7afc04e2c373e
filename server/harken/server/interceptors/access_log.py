"""One log line a call: method, status, duration, peer, owner, and in JSON the job. No payload."""

import logging
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import grpc

from harken.server.caller import known_caller
from harken.server.interceptors.around import Around, Context
from harken.server.metrics.server_metrics import Observe
from harken.telemetry import logs

LOG = logging.getLogger("harken.access")

_NAMES: Mapping[object, str] = {code.value[0]: code.name for code in grpc.StatusCode}
NOBODY = "-"  # the owner of a call that was refused, or is open to all


class AccessLog(Around):
    """Logs each call when it has ended, and tells `observe` its method, status and seconds."""

    def __init__(self, observe: Observe) -> None:
        super().__init__()
        self._observe = observe

    @asynccontextmanager
    async def around(self, method: str, context: Context) -> AsyncGenerator[None]:
        """Entered before the call is handled."""
        start = time.monotonic()
        caller = known_caller()
        owner = caller.owner if caller is not None else NOBODY
        logs.begin(owner=owner)
        if caller is not None and caller.key_id:
            logs.note(key_id=caller.key_id)
        # Asked for after a cancelled call has been freed, gRPC crashes the process.
        peer = context.peer()
        status = "CANCELLED"
        try:
            yield
            status = _name(context.code())
        except grpc.aio.AbortError:
            status = _name(context.code())
            raise
        finally:
            elapsed_s = time.monotonic() - start
            self._observe(method, status, elapsed_s)
            elapsed_ms = elapsed_s * 1000
            told = {
                "method": method,
                "code": status,
                "duration_ms": round(elapsed_ms, 1),
                "peer": peer,
            }
            LOG.info("%s %s %.1f ms %s %s", method, status, elapsed_ms, peer, owner, extra=told)


def _name(code: object) -> str:
    """The status code's name; grpc.aio keeps it as a number, and 0 or None is OK."""
    if isinstance(code, grpc.StatusCode):
        return code.name
    return _NAMES.get(code, "OK")
