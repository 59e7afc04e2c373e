"""Wrapping a call of either kind: one answer, or a stream of them."""

import asyncio
from abc import abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Any, cast

import grpc

Context = grpc.aio.ServicerContext[Any, Any]

CANCELLED_WITHIN_S = 5.0  # a moment, but on a machine that is overwhelmed


async def write(context: Context, message: Any) -> None:
    """Writes a message of a stream. When the caller has gone it does not return: the call is about to be cancelled."""
    try:
        await context.write(message)
    except grpc.aio.InternalError:
        # That the message cannot be sent is known before the cancellation has arrived, which ends this wait. To end
        # the call from here would fail as the message did.
        await asyncio.sleep(CANCELLED_WITHIN_S)
        raise


class Around(grpc.aio.ServerInterceptor):
    """An interceptor that is an async context manager around each call."""

    def __init__(self) -> None:
        # Of each method the handler and what it became here: they stay the same from call to call.
        self._wrapped: dict[str, tuple[Any, Any]] = {}

    @abstractmethod
    def around(self, method: str, context: Context) -> AbstractAsyncContextManager[None]:
        """Entered before the call is handled, left when it has ended."""

    async def intercept_service(  # pyright: ignore[reportIncompatibleMethodOverride] # it serves all types
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Wraps the handler of the method; one that does not exist is left to gRPC."""
        handler: Any = await continuation(handler_call_details)
        if handler is None:
            return handler
        method = str(handler_call_details.method)
        known, wrapped = self._wrapped.get(method, (None, None))
        if known is not handler:
            wrapped = self._wrap(method, handler)
            self._wrapped[method] = handler, wrapped
        return wrapped

    def _wrap(self, method: str, handler: Any) -> Any:
        if handler.response_streaming:
            make = (
                grpc.stream_stream_rpc_method_handler
                if handler.request_streaming
                else grpc.unary_stream_rpc_method_handler
            )
            behaviour = self._stream(method, handler.stream_stream or handler.unary_stream)
            serializer = _unless_bytes(handler.response_serializer)
        else:
            make = (
                grpc.stream_unary_rpc_method_handler
                if handler.request_streaming
                else grpc.unary_unary_rpc_method_handler
            )
            behaviour = self._unary(method, handler.stream_unary or handler.unary_unary)
            serializer = handler.response_serializer
        return make(
            behaviour,
            request_deserializer=handler.request_deserializer,
            response_serializer=serializer,
        )

    def _unary(self, method: str, behaviour: Callable[..., Any]) -> Callable[..., Any]:
        async def call(request: Any, context: Context) -> Any:
            async with self.around(method, context):
                return await behaviour(request, context)

        return call

    def _stream(self, method: str, behaviour: Callable[..., Any]) -> Callable[..., Any]:
        async def call(request: Any, context: Context) -> None:
            async with self.around(method, context):
                await respond(behaviour(request, context), context)

        return call


async def respond(responses: Any, context: Context) -> None:
    """Lets a stream's behaviour run to its end: it yields its messages, or writes them by itself."""
    if not isinstance(responses, AsyncGenerator):
        await responses
        return
    # Closed here, not when it is collected: what it holds is free once the call has ended.
    async with aclosing(cast(AsyncGenerator[Any], responses)):
        async for response in responses:
            await write(context, response)


def _unless_bytes(serializer: Callable[[Any], bytes] | None) -> Callable[[Any], bytes] | None:
    """Leaves alone what was made once for many calls."""
    if serializer is None:
        return None
    return lambda response: response if isinstance(response, bytes) else serializer(response)
