"""The storage as the event loop uses it: in threads, since a disk or a network may take its time."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from harken.media.storage import Storage
from harken.media.storage_errors import StorageError

T = TypeVar("T")

LOG = logging.getLogger(__name__)

LONGEST_END_S = 10.0
THREADS = 16  # uploads that are written at a time; what else arrives waits in gRPC's windows


class Vault:
    """A storage whose calls can be awaited."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="storage")
        self._ends: set[asyncio.Task[None]] = set()

    def begin(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Runs `work` in a thread; what it returns or raises is the future's."""
        return asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def delete(self, keys: Iterable[str]) -> None:
        """Deletes what is kept under keys of orphans; what cannot be deleted now is found by the clean-up."""
        wanted = list(keys)
        if not wanted:
            return
        try:
            await self.begin(lambda: self.storage.delete(wanted))
        except StorageError as error:
            LOG.warning("%d orphans are left to the clean-up: %s", len(wanted), error)

    async def to_its_end(self, work: Coroutine[Any, Any, None]) -> None:
        """Does the work to its end, even where the call that asks for it is cancelled meanwhile."""
        task = asyncio.create_task(work)
        self._ends.add(task)
        task.add_done_callback(self._ends.discard)
        with suppress(asyncio.CancelledError):
            await asyncio.shield(task)

    async def close(self) -> None:
        """Waits for what is done to its end, and ends the threads; one that hangs is not waited for."""
        if self._ends:
            await asyncio.wait(self._ends, timeout=LONGEST_END_S)
        self._threads.shutdown(wait=False, cancel_futures=True)
