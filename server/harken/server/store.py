"""The store as the event loop uses it: reads in a few threads, writes in the group writer's."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import TypeVar

from sqlalchemy import Connection

from harken.jobs.store.database import POOL_SIZE, Database
from harken.jobs.store.writer import GroupWriter, WriteAll

T = TypeVar("T")
Item = TypeVar("Item")
Opened = Callable[[], AbstractContextManager[Connection]]


class Store:
    """A database whose transactions can be awaited."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writer = GroupWriter(database)
        self._readers = ThreadPoolExecutor(POOL_SIZE - 1, thread_name_prefix="reader")
        # What takes seconds waits for its like alone.
        self._long_reader = ThreadPoolExecutor(1, thread_name_prefix="long-reader")

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Runs `work` in a read transaction, in which all it reads is of one moment."""
        return await self._in_thread(self._database.read, work)

    async def query(self, work: Callable[[Connection], T]) -> T:
        """Runs `work`, a single query, without the trips for a transaction's bounds."""
        return await self._in_thread(self._database.query, work)

    async def read_long(self, work: Callable[[Connection], T]) -> T:
        """Runs `work`, which may take seconds, in a read transaction, one after the other."""
        return await self._in_thread(self._database.read, work, self._long_reader)

    @property
    def dialect(self) -> str:
        """The kind of the database: "sqlite" or "postgresql"."""
        return self._database.dialect

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Runs `work` in a write transaction; returns once that is committed."""
        return await self._writer.run(work)

    async def write_among(
        self, write_all: WriteAll[Item, T], item: Item, *, one_statement: bool = False
    ) -> T:
        """Runs `write_all` for the item and those that wait beside it; returns its value once that is committed.

        `one_statement` as of `GroupWriter.run_among`.
        """
        return await self._writer.run_among(write_all, item, one_statement=one_statement)

    def close(self) -> None:
        """Finishes the writes that were asked for, and closes the connections."""
        self._writer.close()
        self._readers.shutdown()
        self._long_reader.shutdown()
        self._database.close()

    async def _in_thread(
        self,
        opened: Opened,
        work: Callable[[Connection], T],
        threads: ThreadPoolExecutor | None = None,
    ) -> T:
        def run() -> T:
            with opened() as connection:
                return work(connection)

        return await asyncio.get_running_loop().run_in_executor(threads or self._readers, run)
