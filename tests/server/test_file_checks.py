import asyncio
import threading
from collections.abc import Iterator

import pytest

from harken.server.file_checks import THREADS, FileChecks


@pytest.fixture
def checks() -> Iterator[FileChecks]:
    made = FileChecks()
    yield made
    made.close()


@pytest.fixture
def hangs() -> Iterator[threading.Event]:
    """What a question waits for that hangs; it goes on at the end of the test."""
    event = threading.Event()
    yield event
    event.set()


async def test_a_question_is_answered(checks: FileChecks) -> None:
    assert await checks.run(lambda: 7) == 7


async def test_what_a_question_raises_is_raised_to_who_asked(checks: FileChecks) -> None:
    with pytest.raises(ZeroDivisionError):
        await checks.run(lambda: 1 // 0)


async def test_many_questions_at_once_get_each_its_own_answer(checks: FileChecks) -> None:
    questions = [checks.run(lambda number=number: number) for number in range(1000)]
    assert await asyncio.gather(*questions) == list(range(1000))


async def test_questions_one_after_the_other_each_wake_a_thread_at_once(checks: FileChecks) -> None:
    """None is left to the timer that looks after those that hang."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for number in range(500):
        assert await checks.run(lambda number=number: number) == number
    assert loop.time() - begun < 500 * 0.02


async def test_one_that_hangs_holds_up_none_that_was_asked_beside_it(
    checks: FileChecks, hangs: threading.Event
) -> None:
    stuck = asyncio.ensure_future(checks.run(hangs.wait))
    beside = [checks.run(lambda number=number: number) for number in range(100)]
    async with asyncio.timeout(10):
        assert await asyncio.gather(*beside) == list(range(100))
        assert await checks.run(lambda: "later") == "later"
    assert not stuck.done()
    hangs.set()
    assert await stuck is True


async def test_all_but_one_of_the_threads_may_hang(
    checks: FileChecks, hangs: threading.Event
) -> None:
    stuck = [asyncio.ensure_future(checks.run(hangs.wait)) for _ in range(THREADS - 1)]
    async with asyncio.timeout(10):
        assert await checks.run(lambda: "through") == "through"
    assert not any(question.done() for question in stuck)
    hangs.set()
    await asyncio.gather(*stuck)


async def test_who_has_gone_is_not_waited_for(checks: FileChecks, hangs: threading.Event) -> None:
    gone = asyncio.ensure_future(checks.run(hangs.wait))
    await asyncio.sleep(0)
    gone.cancel()
    hangs.set()
    assert await checks.run(lambda: "next") == "next"
