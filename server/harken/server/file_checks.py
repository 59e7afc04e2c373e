"""Questions to the file system, asked in threads: one that hangs holds up neither the event loop nor the others.

A hop to a thread and back costs more than most questions, so those of a moment share one. Should one of them hang,
other threads take those behind it.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")

THREADS = 8  # so many questions may hang at a time
OVERTAKE_AFTER_S = 0.02  # what waits that long waits for one that hangs


@dataclass(frozen=True, kw_only=True)
class _Question:
    ask: Callable[[], Any]
    answer: asyncio.Future[Any]


class FileChecks:
    """The threads of one event loop."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="file-check")
        self._waiting: deque[_Question] = deque()
        self._answered: deque[tuple[asyncio.Future[Any], Any, Exception | None]] = deque()
        self._asking = False  # a thread is at it, or has been woken to be
        self._settling = False  # the loop has been woken to settle
        self._overtaking = False  # the loop will see to those that wait for one that hangs

    async def run(self, ask: Callable[[], T]) -> T:
        """What `ask` returns or raises in a thread."""
        loop = asyncio.get_running_loop()
        question = _Question(ask=ask, answer=loop.create_future())
        self._waiting.append(question)
        if not self._asking:
            self._asking = True
            loop.call_soon(self._wake, loop)
        if not self._overtaking:
            self._overtaking = True
            loop.call_later(OVERTAKE_AFTER_S, self._overtake, loop)
        return await question.answer

    def close(self) -> None:
        """Ends the threads; one that hangs is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _wake(self, loop: asyncio.AbstractEventLoop) -> None:
        self._threads.submit(self._ask, loop)

    def _overtake(self, loop: asyncio.AbstractEventLoop) -> None:
        self._overtaking = bool(self._waiting)
        if self._waiting:
            self._wake(loop)
            loop.call_later(OVERTAKE_AFTER_S, self._overtake, loop)

    def _ask(self, loop: asyncio.AbstractEventLoop) -> None:
        """Takes what waits until nothing does; a thread."""
        while True:
            self._asking = bool(self._waiting)
            if not self._waiting:  # seen after the note: what comes from now on wakes a thread
                return
            self._ask_next(loop)

    def _ask_next(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            question = self._waiting.popleft()
        except IndexError:
            return  # another thread was quicker
        try:
            outcome = question.answer, question.ask(), None
        except Exception as error:
            outcome = question.answer, None, error
        self._answered.append(outcome)
        if not self._settling:  # else the loop has not looked yet, and will see this one too
            self._settling = True
            loop.call_soon_threadsafe(self._settle)

    def _settle(self) -> None:
        self._settling = False
        while self._answered:
            answer, value, error = self._answered.popleft()
            if answer.done():
                continue  # the caller has gone
            if error is None:
                answer.set_result(value)
            else:
                answer.set_exception(error)
