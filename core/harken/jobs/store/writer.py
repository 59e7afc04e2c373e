"""Group commit: one thread that writes for all callers of an event loop, many writes to a transaction.

A commit waits for the disk; waiting once for a hundred callers is what makes a hundred callers fast. It also keeps
SQLite's writers from waiting for each other. Writes of the same kind that stand next to each other can be one call, and
so take as many statements as one of them. While many write, the thread waits a little until as many have come as wrote
lately: whoever has had an answer writes again, and a commit with the processor time around it costs more than the wait.
"""

import asyncio
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from harken.jobs.failpoint import Point, failpoint
from harken.jobs.store.database import Database
from harken.jobs.store.transaction import none_around, savepoint

T = TypeVar("T")
Item = TypeVar("Item")  # what a write is about

# Writes all items; returns for each its value, or the error that is its alone.
WriteAll = Callable[[Connection, Sequence[Item]], Sequence[T | Exception]]

LARGEST_GROUP = 256  # writes to a transaction
# After groups of more than a few it waits until as many have come as in the largest of the latest, unless none comes
# for a while. A look at how many there are stops the event loop, so it looks seldom.
FEW = 2
LATEST = 3
GATHERS_FOR_S = 0.06
QUIET_FOR_S = 0.006
LOOKS_EVERY_S = 0.002


@dataclass(frozen=True)
class _Write:
    write_all: WriteAll[Any, Any]
    item: Any
    one_statement: bool
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop


class GroupWriter:
    """Runs write functions in order, in transactions that they share.

    A function that raises undoes and fails itself alone.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._closing = threading.Event()
        self._queue: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="group-writer", daemon=True)
        self._thread.start()

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Runs `work` in a write transaction; returns its value once that is committed.

        Raises RuntimeError once the writer is closed.
        """
        return await self.run_among(lambda connection, _: [work(connection)], None)

    async def run_among(
        self, write_all: WriteAll[Item, T], item: Item, *, one_statement: bool = False
    ) -> T:
        """Runs `write_all` for the item, and for those of other callers that are next to it, in a write transaction.

        `one_statement`: by itself it needs no transaction around where it can write with one statement, and it raises
        only where nothing was written.

        Returns its value for the item once that is committed, or raises it when it is an exception. Raises
        RuntimeError once the writer is closed.
        """
        if self._closing.is_set():
            raise RuntimeError("the writer is closed")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._queue.put(_Write(write_all, item, one_statement, future, loop))
        return await future

    def close(self) -> None:
        """Finishes what was asked for, and ends."""
        self._closing.set()
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        sizes: deque[int] = deque([0], maxlen=LATEST)
        while (first := self._queue.get()) is not None:
            if (expected := max(sizes)) > FEW:
                self._await_more(expected - 1)
            group, last = self._gather(first)
            sizes.append(len(group))
            self._commit(group)
            if last:
                return

    def _await_more(self, expected: int) -> None:
        """Returns once so many writes wait, no more come, or enough time has passed."""
        begun = came = time.monotonic()
        seen = 0
        while (waiting := self._queue.qsize()) < expected:
            now = time.monotonic()
            if waiting > seen:
                seen, came = waiting, now
            if now - came >= QUIET_FOR_S or now - begun >= GATHERS_FOR_S:
                return
            if self._closing.wait(LOOKS_EVERY_S):
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
        runs = [list(alike) for _, alike in groupby(group, key=lambda write: write.write_all)]
        outcomes: list[Any] = []
        try:
            with self._opened(runs) as connection:
                if none_around(connection):
                    failpoint(Point.COMMIT)
                for run in runs:
                    # One that is the whole transaction needs no savepoint to be undone.
                    outcomes += _write(connection, run) if len(runs) == 1 else _try(connection, run)
                if not none_around(connection):
                    failpoint(Point.COMMIT)
            failpoint(Point.COMMITTED)
        except Exception as error:
            nothing_kept = len(outcomes) < len(group) or isinstance(error, DBAPIError)
            if len(group) > 1 and nothing_kept and not _connection_lost(error):
                for write in group:
                    self._commit([write])
                return
            outcomes = [error] * len(group)
        _settle(group, outcomes)

    def _opened(self, runs: Sequence[Sequence[_Write]]) -> AbstractContextManager[Connection]:
        if len(runs) == 1 and runs[0][0].one_statement:
            return self._database.statement()
        return self._database.write()


def _write(connection: Connection, run: Sequence[_Write]) -> Sequence[Any]:
    return run[0].write_all(connection, [write.item for write in run])


def _try(connection: Connection, run: Sequence[_Write]) -> Sequence[Any]:
    """Writes what is alike; when it fails, each alone, so that only the one at fault is undone."""
    try:
        with savepoint(connection):
            return _write(connection, run)
    except Exception as error:
        if connection.invalidated:
            raise  # the connection is gone, and with it the whole group
        return [error] if len(run) == 1 else [_try(connection, [write])[0] for write in run]


def _settle(group: Sequence[_Write], outcomes: Sequence[Any]) -> None:
    """Tells the callers, those of one loop with one call: waking it costs more than what it is told."""
    settled = zip(group, outcomes, strict=True)
    for loop, of_loop in groupby(settled, key=lambda pair: pair[0].loop):
        with suppress(RuntimeError):  # the loop is closed, and the caller gone with it
            loop.call_soon_threadsafe(_set, [(write.future, outcome) for write, outcome in of_loop])


def _set(outcomes: Sequence[tuple[asyncio.Future[Any], Any]]) -> None:
    for future, outcome in outcomes:
        if future.done():
            continue  # the caller has gone; the write stands all the same
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)


def _connection_lost(error: Exception) -> bool:
    """Whether trying again is pointless, and of a commit unknown what it did."""
    return isinstance(error, DBAPIError) and error.connection_invalidated
