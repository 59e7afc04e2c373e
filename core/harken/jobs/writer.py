"""Group commit: one thread that writes for all callers of an event loop, many writes to a transaction.

A commit waits for the disk; waiting once for a hundred callers is what makes a hundred callers fast. It also keeps
SQLite's writers from waiting for each other.
"""

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from harken.jobs.database import Database
from harken.jobs.failpoint import Point, failpoint

T = TypeVar("T")

LARGEST_GROUP = 256  # writes to a transaction


@dataclass(frozen=True)
class _Write:
    work: Callable[[Connection], Any]
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop

    def settle(self, result: Any, error: BaseException | None) -> None:
        with suppress(RuntimeError):  # the loop is closed, and the caller gone with it
            self.loop.call_soon_threadsafe(self._settle, result, error)

    def _settle(self, result: Any, error: BaseException | None) -> None:
        if self.future.done():
            return  # the caller has gone; the write stands all the same
        if error is None:
            self.future.set_result(result)
        else:
            self.future.set_exception(error)


class GroupWriter:
    """Runs write functions in order, in transactions that they share.

    Each function has a savepoint of its own: one that raises undoes and fails itself alone.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._closed = False
        self._queue: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="group-writer", daemon=True)
        self._thread.start()

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Runs `work` in a write transaction; returns its value once that is committed.

        Raises RuntimeError once the writer is closed.
        """
        if self._closed:
            raise RuntimeError("the writer is closed")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._queue.put(_Write(work, future, loop))
        return await future

    def close(self) -> None:
        """Finishes what was asked for, and ends."""
        self._closed = True
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            group, last = self._gather(first)
            self._commit(group)
            if last:
                return

    def _gather(self, first: _Write) -> tuple[list[_Write], bool]:
        group = [first]
        while len(group) < LARGEST_GROUP:
            try:
                write = self._queue.get_nowait()
            except queue.Empty:
                return group, False
            if write is None:
                return group, True
            group.append(write)
        return group, False

    def _commit(self, group: list[_Write]) -> None:
        outcomes: list[tuple[Any, BaseException | None]] = []
        try:
            with self._database.write() as connection:
                outcomes.extend(_attempt(connection, write.work) for write in group)
                failpoint(Point.COMMIT)
            failpoint(Point.COMMITTED)
        except Exception as error:
            if len(group) > 1 and _was_rolled_back(error):
                for write in group:
                    self._commit([write])
                return
            outcomes = [(None, error)] * len(group)
        for write, (result, error) in zip(group, outcomes, strict=True):
            write.settle(result, error)


def _attempt(
    connection: Connection, work: Callable[[Connection], Any]
) -> tuple[Any, BaseException | None]:
    try:
        with connection.begin_nested():
            return work(connection), None
    except Exception as error:
        if connection.invalidated:
            raise  # the connection is gone, and with it the whole group
        return None, error


def _was_rolled_back(error: Exception) -> bool:
    """Whether nothing of the transaction can have been kept, as after a deadlock: then each may try alone."""
    return isinstance(error, DBAPIError) and not error.connection_invalidated
