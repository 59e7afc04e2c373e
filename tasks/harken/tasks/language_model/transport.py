"""HTTP with limits: no answer longer than it can be, and no header that says more than is needed."""

from collections.abc import AsyncIterator
from typing import Final

import httpx2

from harken.tasks.language_model.failure import INVALID, ModelFailure

MOST_BYTES: Final = 1_000_000  # an answer has a few thousand
# The client tells of the machine, and of organisations that the environment names.
SENT_HEADERS: Final = frozenset(
    {"host", "content-type", "content-length", "transfer-encoding", "authorization", "connection"}
)


class BoundedBody(httpx2.AsyncByteStream):
    """A body that ends the exchange once it is too long."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Its parts. Raises ModelFailure."""
        total = 0
        async for part in self._stream:
            total += len(part)
            if total > MOST_BYTES:
                raise ModelFailure(INVALID, f"the answer has more than {MOST_BYTES:,} bytes")
            yield part

    async def aclose(self) -> None:
        """Ends it."""
        await self._stream.aclose()


class BoundedTransport(httpx2.AsyncHTTPTransport):
    """Sends few headers, and reads few bytes."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """One exchange. Raises ModelFailure."""
        kept = [(name, value) for name, value in request.headers.items() if name in SENT_HEADERS]
        # What is not compressed cannot unfold.
        extra = [
            ("user-agent", "harken"),
            ("accept", "application/json"),
            ("accept-encoding", "identity"),
        ]
        # Not `request` itself: the client reads what it has noted there when the answer comes.
        sent = httpx2.Request(
            request.method,
            request.url,
            headers=[*kept, *extra],
            stream=request.stream,
            extensions=request.extensions,
        )
        response = await super().handle_async_request(sent)
        encoding = response.headers.get("content-encoding", "identity")
        if encoding.lower() not in {"", "identity"}:
            await response.aclose()
            raise ModelFailure(INVALID, "the answer is compressed, which was not asked for")
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = BoundedBody(response.stream)
        return response
