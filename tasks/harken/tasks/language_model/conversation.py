"""Asking a language model within a time: attempts, waits between them, and a breaker over all jobs of the process."""

import asyncio
import random
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from functools import cache
from typing import Any, Final, TypeVar

from harken.tasks.language_model.answer import Answer
from harken.tasks.language_model.backoff import MOST_ATTEMPTS, wait_s
from harken.tasks.language_model.breaker import Breaker, Circuit
from harken.tasks.language_model.endpoint import Endpoint
from harken.tasks.language_model.exchange import Exchange
from harken.tasks.language_model.failure import PAUSED, TIMEOUT, ModelFailure

T = TypeVar("T")

CHECK_EVERY_S: Final = 0.1  # whether the job has to stop


class Memory:
    """What a process knows of an endpoint from one job to the next."""

    def __init__(self) -> None:
        self.breaker = Breaker()


@cache
def memory_of(url: str, model: str) -> Memory:  # noqa: ARG001  # the cache tells them apart
    """That of a model at an endpoint."""
    return Memory()


def ask(
    endpoint: Endpoint,
    messages: Sequence[dict[str, str]],
    check: Callable[[], None],
    *,
    memory: Memory | None = None,
) -> Answer:
    """The answer, within the endpoint's time. Raises ModelFailure, and what `check` raises while it waits."""
    known = memory or memory_of(endpoint.url, endpoint.model)
    return asyncio.run(_watched(_within(endpoint, messages, known), check))


async def _within(endpoint: Endpoint, messages: Sequence[dict[str, str]], memory: Memory) -> Answer:
    if memory.breaker.circuit(time.monotonic()) is Circuit.OPEN:
        raise ModelFailure(PAUSED, "it failed too often of late, and is left alone for a while")
    try:
        async with asyncio.timeout(endpoint.timeout_s), Exchange(endpoint) as exchange:
            deadline = time.monotonic() + endpoint.timeout_s
            return await _attempts(exchange, messages, memory, deadline)
    except TimeoutError:
        memory.breaker = memory.breaker.failed(time.monotonic())
        raise ModelFailure(TIMEOUT, f"no answer within {endpoint.timeout_s:g} s") from None


async def _attempts(
    exchange: Exchange, messages: Sequence[dict[str, str]], memory: Memory, deadline: float
) -> Answer:
    attempt = 0
    while True:
        attempt += 1
        try:
            answer = await exchange.ask(messages)
        except ModelFailure as failure:
            now = time.monotonic()
            memory.breaker = memory.breaker.failed(now)
            wait = wait_s(attempt, random.random(), failure.retry_after_s)  # no secret
            paused = memory.breaker.circuit(now) is Circuit.OPEN
            if not failure.again or attempt == MOST_ATTEMPTS or now + wait >= deadline or paused:
                raise
            await asyncio.sleep(wait)
        else:
            memory.breaker = memory.breaker.succeeded()
            return answer


async def _watched(work: Coroutine[Any, Any, T], check: Callable[[], None]) -> T:
    """The result of `work`, which ends at once where `check` raises."""
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            check()
            await asyncio.wait({task}, timeout=CHECK_EVERY_S)
        return task.result()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, ModelFailure):
            await task
