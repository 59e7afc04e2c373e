"""Whether this process is the one that does what only one may do: its lease on the role, in SQL."""

import asyncio
import logging
import os
import socket
import uuid

from sqlalchemy.exc import DBAPIError

from harken.jobs import clock
from harken.jobs.queueing import leadership
from harken.server.store import Store

LOG = logging.getLogger(__name__)

ROLE = "housekeeping"


class Lead:
    """The lease of one server process. It counts from when it was asked for, so it ends here before it ends in SQL."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._leads = False
        self._until = 0.0

    @property
    def holds(self) -> bool:
        """Whether this process leads now."""
        return self._leads and asyncio.get_running_loop().time() < self._until

    async def renew(self) -> None:
        """Takes the lead or prolongs it, where no other process has it."""
        asked = asyncio.get_running_loop().time()
        holder = self.holder
        # Who follows only reads.
        leads = self._leads or await self._store.read(
            lambda c: leadership.is_free(c, ROLE, holder=holder, now=clock.now(c))
        )
        if leads:
            leads = await self._store.write(
                lambda c: leadership.lead(c, ROLE, holder=holder, now=clock.now(c))
            )
        if leads != self._leads:
            LOG.info("%s housekeeping", "leading" if leads else "another process leads")
        self._leads = leads
        self._until = asked + leadership.TERM.total_seconds()

    async def resign(self) -> None:
        """Lets another process lead at once."""
        if not self._leads:
            return
        self._leads = False
        holder = self.holder
        try:
            await self._store.write(lambda c: leadership.resign(c, ROLE, holder=holder))
        except DBAPIError as error:
            LOG.warning("the lead could not be given up, it runs out by itself: %s", error)
