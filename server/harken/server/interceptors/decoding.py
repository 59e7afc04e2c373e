"""Refuses bytes that are no message of the call's type, as it refuses any other request that cannot be.

gRPC would end the call with UNKNOWN, without details and before any interceptor hears of it.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError

from harken.server.errors import InvalidRequest, Violation
from harken.server.interceptors.around import Around, Context


@dataclass(frozen=True)
class _Malformed:
    """In the place of a request that could not be read."""

    problem: str


class Decoding(Around):
    """The innermost interceptor: those around it see the refusal."""

    @asynccontextmanager
    async def around(self, method: str, context: Context) -> AsyncGenerator[None]:  # noqa: ARG002 # there is nothing to do
        """Entered before the call is handled."""
        yield

    def _wrap(self, method: str, handler: Any) -> Any:
        check = _checked if handler.request_streaming else _check
        for kind in ("unary_unary", "unary_stream", "stream_unary", "stream_stream"):
            if behaviour := getattr(handler, kind):
                handler = handler._replace(**{kind: _checking(behaviour, check)})
        read = handler.request_deserializer
        return super()._wrap(method, handler)._replace(request_deserializer=_reading(read))


def _reading(read: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    def reading(data: bytes) -> Any:
        try:
            return read(data)
        except DecodeError as error:
            return _Malformed(str(error))

    return reading


def _checking(behaviour: Callable[..., Any], check: Callable[[Any], Any]) -> Callable[..., Any]:
    # What it returns, a coroutine or a generator, is as it was: it is made in the call, which ends with what is raised.
    return lambda request, context: behaviour(check(request), context)


def _check(request: Any) -> Any:
    if isinstance(request, _Malformed):
        description = f"The bytes are no message of this call: {request.problem}."
        raise InvalidRequest([Violation("request", "MALFORMED_MESSAGE", description)])
    return request


async def _checked(requests: AsyncIterator[Any]) -> AsyncGenerator[Any]:
    async for request in requests:
        yield _check(request)
