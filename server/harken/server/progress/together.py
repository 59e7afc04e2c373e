"""Reading for many who ask in the same moment: one read answers all of them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

MOST_KEYS = 500  # of one read: a database's limit on parameters is far, and nobody waits for long


class Together(Generic[K, V]):
    """Asks `read` for the values of keys; one that it leaves out is None.

    A read never begins before it was asked for, so that what it sees is never older than the question.
    """

    def __init__(self, read: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]) -> None:
        self._read = read
        self._asked: dict[K, asyncio.Future[V | None]] = {}
        self._task: asyncio.Task[None] | None = None

    async def get(self, key: K) -> V | None:
        """The value of a key. Raises what the read raised."""
        answer = self._asked.get(key)
        if answer is None:
            answer = self._asked[key] = asyncio.get_running_loop().create_future()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._answer(), name="read-together")
        return await asyncio.shield(answer)  # others may wait for it too

    async def _answer(self) -> None:
        while self._asked:
            keys = list(self._asked)[:MOST_KEYS]
            answers = {key: self._asked.pop(key) for key in keys}
            try:
                found = await self._read(keys)
            except Exception as error:
                for answer in answers.values():
                    answer.set_exception(error)
                    answer.exception()  # whoever asked may have gone: that is no fault
            else:
                for key, answer in answers.items():
                    answer.set_result(found.get(key))
