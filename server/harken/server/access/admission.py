"""Who is let in to one server process, by its settings, and for how long."""

import asyncio

from harken.server.access.authentication import Authentication
from harken.server.access.keyring import KeyRing
from harken.server.access.open_connections import OpenConnections
from harken.server.access.open_streams import OpenStreams
from harken.server.access.quotas import quota
from harken.server.store import Store
from harken.settings import Settings

LOOK_EVERY_S = 1.0  # at whether those who have streams would still be let in


class Admission:
    """Authentication and the counts of open streams and connections; each is None where no setting asks for it."""

    def __init__(self, settings: Settings, store: Store) -> None:
        ways = settings.ways_in
        self._ring = KeyRing(store) if "keys" in ways else None
        provider = None
        if "jwt" in ways:
            from harken.server.access.provider import Provider  # what it needs is slow to import

            provider = Provider(settings)
        self.authentication = Authentication(ring=self._ring, provider=provider) if ways else None
        streams = quota(settings.quota_streams)
        self.streams = OpenStreams(streams.of) if ways or streams else None
        connections = quota(settings.quota_connections)
        self.connections = OpenConnections(connections.of) if connections else None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to follow who may be let in."""
        if self._ring is not None:
            self._ring.start()
        if self.authentication is not None and self.streams is not None:
            watch = self._end_refused(self.authentication, self.streams)
            self._task = asyncio.create_task(watch, name="refused-streams")

    async def stop(self) -> None:
        """Ends what `start` began."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._ring is not None:
            await self._ring.stop()

    async def _end_refused(self, authentication: Authentication, streams: OpenStreams) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            streams.end_refused(authentication.refusal)
