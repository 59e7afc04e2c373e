"""That this process is there, whether it leads or follows: a lease on a role of its own, in SQL."""

import uuid

from sqlalchemy.exc import DBAPIError

from harken.jobs import clock
from harken.jobs.queueing import leadership
from harken.server.store import Store

RENEW_EVERY_S = 5.0  # a third of a term


class Presence:
    """The row by which one server process is known, so that nobody restores a backup under its feet."""

    def __init__(self, store: Store, holder: str) -> None:
        self._store = store
        self._holder = holder
        self._role = f"server {uuid.uuid4().hex}"

    async def renew(self) -> None:
        """Says so for another term."""
        await self._store.write(
            lambda c: leadership.lead(
                c, self._role, holder=self._holder, now=clock.now(c), term=leadership.PRESENT_FOR
            )
        )

    async def resign(self) -> None:
        """Takes it back; where the database is away it runs out by itself."""
        try:
            await self._store.write(lambda c: leadership.resign(c, self._role, holder=self._holder))
        except DBAPIError:
            return
