"""Counts the connections over which each owner has calls open."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from harken.server.access.open_connections import OpenConnections
from harken.server.caller import known_caller
from harken.server.interceptors.around import Around, Context


class Connections(Around):
    """Around every call of an owner."""

    def __init__(self, connections: OpenConnections) -> None:
        super().__init__()
        self._connections = connections

    @asynccontextmanager
    async def around(self, method: str, context: Context) -> AsyncGenerator[None]:  # noqa: ARG002 # the same for all
        """Raises QuotaExceeded before the request is read."""
        caller = known_caller()
        if caller is None:
            yield  # one that is open to all
            return
        peer = context.peer()
        self._connections.enter(caller.owner, peer)
        try:
            yield
        finally:
            self._connections.leave(caller.owner, peer)
