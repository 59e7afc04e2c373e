"""Counts the streams of each owner, and ends those of a caller whose key or token holds no longer."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from harken.server.access.open_streams import OpenStreams
from harken.server.caller import known_caller
from harken.server.interceptors.around import Around, Context, respond

T = TypeVar("T")


class Streams(Around):
    """Around streams only, those of requests too."""

    def __init__(self, streams: OpenStreams) -> None:
        super().__init__()
        self._streams = streams

    def _wrap(self, method: str, handler: Any) -> Any:
        if handler.response_streaming or handler.request_streaming:
            return super()._wrap(method, handler)
        return handler

    def around(self, method: str, context: Context) -> AbstractAsyncContextManager[None]:
        """Never entered: of ten thousand streams each would keep one."""
        raise NotImplementedError

    def _unary(self, method: str, behaviour: Callable[..., Any]) -> Callable[..., Any]:  # noqa: ARG002 # the same for all
        async def call(requests: Any, context: Context) -> Any:
            return await self._watched(lambda: behaviour(requests, context))

        return call

    def _stream(self, method: str, behaviour: Callable[..., Any]) -> Callable[..., Any]:  # noqa: ARG002 # the same for all
        async def call(request: Any, context: Context) -> None:
            await self._watched(lambda: respond(behaviour(request, context), context))

        return call

    async def _watched(self, work: Callable[[], Awaitable[T]]) -> T:
        caller, task = known_caller(), asyncio.current_task()
        if caller is None or task is None:
            return await work()  # one that is open to all
        stream = self._streams.open(caller, task)
        try:
            return await work()
        except asyncio.CancelledError:
            if stream.refusal is not None and not task.uncancel():
                raise stream.refusal from None
            raise
        finally:
            self._streams.close(stream)
