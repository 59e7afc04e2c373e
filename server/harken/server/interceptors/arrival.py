"""Reads the request of a call, for as long as one may take to arrive: one that comes in drops holds what others need.

gRPC itself would wait for ever, and say of what is no message that the server is at fault.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from harken.server.errors import MalformedRequest, RequestSlow
from harken.server.interceptors.around import Context, respond

ARRIVES_WITHIN_S = 60.0  # 32 MiB at 5 Mbit/s

_EOF: Any = grpc.aio.EOF  # pyright: ignore[reportAttributeAccessIssue] # the stubs lack it


class Arrival(grpc.aio.ServerInterceptor):
    """Around calls with one request; streams of requests are their servicer's to read."""

    def __init__(self) -> None:
        self._wrapped: dict[str, tuple[Any, Any]] = {}

    async def intercept_service(  # pyright: ignore[reportIncompatibleMethodOverride] # it serves all types
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """The handler, as one that gRPC leaves the reading to."""
        handler: Any = await continuation(handler_call_details)
        if handler is None or handler.request_streaming:
            return handler
        method = str(handler_call_details.method)
        known, wrapped = self._wrapped.get(method, (None, None))
        if known is not handler:
            wrapped = _reading(handler)
            self._wrapped[method] = handler, wrapped
        return wrapped


def _reading(handler: Any) -> Any:
    if handler.response_streaming:
        behaviour = handler.unary_stream

        async def stream(_requests: Any, context: Context) -> None:
            await respond(behaviour(await _read(context), context), context)

        return grpc.stream_stream_rpc_method_handler(
            stream, handler.request_deserializer, handler.response_serializer
        )
    behaviour = handler.unary_unary

    async def call(_requests: Any, context: Context) -> Any:
        return await behaviour(await _read(context), context)

    return grpc.stream_unary_rpc_method_handler(
        call, handler.request_deserializer, handler.response_serializer
    )


async def _read(context: Any) -> Any:
    """The one request of a call. Raises RequestSlow and MalformedRequest."""
    try:
        async with asyncio.timeout(ARRIVES_WITHIN_S):
            request = await context.read()
    except TimeoutError:
        raise RequestSlow(ARRIVES_WITHIN_S) from None
    except DecodeError:
        raise MalformedRequest from None
    if request is _EOF:
        raise MalformedRequest
    return request
