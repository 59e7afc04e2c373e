"""The API keys as a server process knows them: all of them in memory, read again and again, never by a call.

A key that is new is known at its first use, which may wait for `ASKED_EVERY_S`; one that was revoked or has expired
ends within `HOLDS_FOR_S`, and with it the streams that were opened by it. A server that cannot reach the database for
so long takes no key: it could not do much for its caller either.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from harken.jobs import clock
from harken.jobs.owners import keys
from harken.jobs.owners.keys import USE_NOTED_EVERY, Key, Shape
from harken.server.caller import Caller
from harken.server.errors import KeysUnknown, Unauthenticated
from harken.server.store import Store

LOG = logging.getLogger(__name__)

READ_EVERY_S = 2.0
HOLDS_FOR_S = 5.0  # published: a key that was revoked is taken for no longer than that
ASKED_EVERY_S = (
    0.25  # for keys that are not known, all together: guessing does not burden the database
)
TRIES = 2  # a read that had begun before it was asked for does not count

Look = tuple[Shape, tuple[Key, ...] | None]


class KeyRing:
    """The keys there are."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys: Mapping[str, tuple[Key, Caller]] = {}
        self._shape: Shape | None = None
        self._read_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._used: set[str] = set()
        self._noted: dict[str, float] = {}

    def start(self) -> None:
        """Begins to follow the keys."""
        self._task = asyncio.create_task(self._follow(), name="key-ring")

    async def stop(self) -> None:
        """Ends what `start` began."""
        for task in (self._task, self._reading):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def caller(self, text: str) -> Caller:
        """Whose key this is. Raises Unauthenticated, and KeysUnknown while the database does not answer."""
        parts = keys.parts_of(text)
        if parts is None:
            raise Unauthenticated("KEY_MALFORMED", "This is no key of harken's: they begin hk_.")
        key_id, secret = parts
        if key_id not in self._keys or time.monotonic() - self._read_at > HOLDS_FOR_S:
            await self._look_again()
        found = self._keys.get(key_id)
        if found is None or not found[0].opened_by(secret):
            raise Unauthenticated("KEY_UNKNOWN", "There is no such key.")
        key, caller = found
        self.check(key)
        if key_id not in self._noted:
            self._used.add(key_id)
        return caller

    def refusal(self, key_id: str) -> Unauthenticated | None:
        """Why a key that was taken before is no longer; None when it is."""
        found = self._keys.get(key_id)
        try:
            if found is None:
                return Unauthenticated("KEY_UNKNOWN", "There is no such key any more.")
            self.check(found[0])
        except Unauthenticated as error:
            return error
        return None

    @staticmethod
    def check(key: Key) -> None:
        """Raises Unauthenticated when the key does not hold any more."""
        if key.revoke_time is not None:
            raise Unauthenticated("KEY_REVOKED", f"The key {key.key_id} was revoked.")
        if key.expire_time is not None and key.expire_time <= datetime.now(UTC):
            raise Unauthenticated("KEY_EXPIRED", f"The key {key.key_id} has expired.")

    async def _look_again(self) -> None:
        """Returns when the keys were read after this was asked for. Raises KeysUnknown."""
        asked_at, tried = time.monotonic(), 0
        while self._read_at < asked_at and tried < TRIES:
            if self._reading is None or self._reading.done():
                self._reading = asyncio.create_task(self._read_soon(), name="read-keys")
            await asyncio.shield(self._reading)  # others may wait for it too
            tried += 1
        if self._read_at < asked_at:
            raise KeysUnknown

    async def _read_soon(self) -> None:
        await asyncio.sleep(max(self._read_at + ASKED_EVERY_S - time.monotonic(), 0.0))
        await self._read()

    async def _follow(self) -> None:
        while True:
            await self._read()
            await self._note_use()
            await asyncio.sleep(READ_EVERY_S)

    async def _read(self) -> None:
        began, known = time.monotonic(), self._shape
        try:
            shape, found = await self._store.read(lambda c: _look(c, known))
        except SQLAlchemyError as error:
            LOG.warning("the API keys could not be read, trying again: %s", error)
            return
        if found is not None:
            self._keys = {key.key_id: (key, _caller(key)) for key in found}
            self._shape = shape
        self._read_at = began

    async def _note_use(self) -> None:
        """Writes down which keys are in use, each at most every `USE_NOTED_EVERY`."""
        now = time.monotonic()
        again = USE_NOTED_EVERY.total_seconds()
        self._noted = {one: at for one, at in self._noted.items() if now - at < again}
        used, self._used = self._used - self._noted.keys(), set()
        if not used:
            return
        try:
            await self._store.write(lambda c: keys.note_use(c, used, now=clock.now(c)))
        except SQLAlchemyError as error:
            LOG.warning("which API keys are in use could not be noted: %s", error)
            return
        self._noted |= dict.fromkeys(used, now)


def _look(connection: Connection, known: Shape | None) -> Look:
    shape = keys.shape(connection)
    return shape, None if shape == known else keys.list_keys(connection)


def _caller(key: Key) -> Caller:
    return Caller(owner=key.owner, scopes=key.scopes, key_id=key.key_id, by_key=True)
