import asyncio
import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError

from harken.jobs import submission
from harken.jobs.store import writer as writer_module
from harken.jobs.store.database import Database
from harken.jobs.store.schema import JOBS
from harken.jobs.store.transaction import none_around
from harken.jobs.store.writer import FEW, LATEST, GroupWriter

# A row whose job does not exist; the database notices at the commit.
ORPHAN = text(
    "INSERT INTO harken_results (job_id, result)"
    " VALUES ('0197c0de-0000-7000-8000-00000000dead', '{}')"
)


class _Held:
    """A write that the writer is in the middle of: what is asked for meanwhile shares the next transaction."""

    def __init__(self, writer: GroupWriter) -> None:
        self._begun, self._let_go = threading.Event(), threading.Event()
        self._task = asyncio.create_task(writer.run(self._wait))

    async def begun(self) -> "_Held":
        await asyncio.to_thread(self._begun.wait, 10)
        return self

    async def let_go(self) -> None:
        self._let_go.set()
        await self._task

    def release(self) -> None:
        self._let_go.set()

    def _wait(self, _connection: object) -> None:
        self._begun.set()
        self._let_go.wait(10)


@pytest.fixture
def writer(database: Database) -> Iterator[GroupWriter]:
    made = GroupWriter(database)
    yield made
    made.close()


@pytest.fixture
def commits(database: Database) -> list[None]:
    """Grows by one with each commit."""
    counted: list[None] = []
    event.listen(database.engine, "commit", lambda _: counted.append(None))
    return counted


@pytest.fixture
def submit(jobs):
    """A write that makes a job of a path."""

    def write(path):
        new = jobs.new(path)
        return lambda c: submission.submit_job(c, new, owner="local", now=jobs.now)

    return write


async def started(*writes):
    """The tasks of writes that have been asked for, in order."""
    tasks = [asyncio.ensure_future(write) for write in writes]
    await asyncio.sleep(0)
    return tasks


def defer_checks(connection):
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
    else:
        connection.exec_driver_sql(
            "ALTER TABLE harken_results ALTER CONSTRAINT harken_results_job_id_fkey"
            " DEFERRABLE INITIALLY DEFERRED"
        )


def paths(jobs):
    return {job.source.value for job in jobs.listed(limit=1000)}


async def test_many_writes_at_once_are_all_committed(jobs, writer, submit):
    wanted = [f"{number}.wav" for number in range(300)]
    made = await asyncio.gather(*[writer.run(submit(path)) for path in wanted])
    assert [job.source.value for job in made] == wanted
    assert paths(jobs) == set(wanted)


async def test_a_write_is_committed_when_its_caller_is_answered(jobs, writer, submit):
    job = await writer.run(submit("a.wav"))
    assert jobs.get(job) == job


async def test_writes_that_are_waiting_share_one_commit(jobs, writer, submit, commits):
    held = await _Held(writer).begun()
    tasks = await started(*[writer.run(submit(f"{n}.wav")) for n in range(20)])
    await held.let_go()
    await asyncio.gather(*tasks)
    assert len(commits) == 2
    assert len(paths(jobs)) == 20


async def _many(writer, submit, *, count):
    """Writes that share one commit, after that of the write which they have waited for."""
    held = await _Held(writer).begun()
    tasks = await started(*[writer.run(submit(f"many {n}.wav")) for n in range(count)])
    await held.let_go()
    await asyncio.gather(*tasks)


async def test_while_many_write_those_that_keep_coming_share_one_commit(
    jobs, writer, submit, commits, monkeypatch
):
    monkeypatch.setattr(writer_module, "GATHERS_FOR_S", 60.0)
    monkeypatch.setattr(writer_module, "QUIET_FOR_S", 60.0)
    await _many(writer, submit, count=20)
    tasks = []
    async with asyncio.timeout(10):  # with the last of as many as before it waits no longer
        for n in range(20):
            tasks += await started(writer.run(submit(f"{n}.wav")))
            await asyncio.sleep(0.01)  # the pace at which they come is what is tested
        await asyncio.gather(*tasks)
    assert len(commits) == 3
    assert len(paths(jobs)) == 20 + 20


@pytest.mark.parametrize(
    "limits",
    [{"QUIET_FOR_S": 0.3, "GATHERS_FOR_S": 60.0}, {"QUIET_FOR_S": 60.0, "GATHERS_FOR_S": 0.3}],
    ids=["none comes", "enough"],
)
async def test_those_who_do_not_come_again_are_not_waited_for(
    jobs, writer, submit, commits, monkeypatch, limits
):
    for name, seconds in limits.items():
        monkeypatch.setattr(writer_module, name, seconds)
    await _many(writer, submit, count=20)
    async with asyncio.timeout(10):
        await asyncio.gather(*await started(*(writer.run(submit(f"{n}.wav")) for n in range(5))))
    assert len(commits) == 3
    assert len(paths(jobs)) == 20 + 5


async def test_many_are_forgotten_after_a_few_groups(writer, submit, monkeypatch):
    monkeypatch.setattr(writer_module, "QUIET_FOR_S", 0.01)
    await _many(writer, submit, count=20)
    for _ in range(LATEST):
        await writer.run(submit("a.wav"))
    monkeypatch.setattr(writer_module, "QUIET_FOR_S", 60.0)
    monkeypatch.setattr(writer_module, "GATHERS_FOR_S", 60.0)
    async with asyncio.timeout(10):
        await writer.run(submit("a.wav"))


async def test_writes_of_a_few_are_not_kept_waiting(writer, submit, monkeypatch):
    monkeypatch.setattr(writer_module, "GATHERS_FOR_S", 60.0)
    monkeypatch.setattr(writer_module, "QUIET_FOR_S", 60.0)
    await _many(writer, submit, count=FEW)
    async with asyncio.timeout(10):
        await writer.run(submit("a.wav"))


async def test_a_writer_that_waits_for_more_closes_at_once(jobs, database, submit, monkeypatch):
    monkeypatch.setattr(writer_module, "GATHERS_FOR_S", 60.0)
    monkeypatch.setattr(writer_module, "QUIET_FOR_S", 60.0)
    writer = GroupWriter(database)
    await _many(writer, submit, count=FEW + 1)
    tasks = await started(writer.run(submit("last.wav")))
    async with asyncio.timeout(10):
        await asyncio.to_thread(writer.close)
        await asyncio.gather(*tasks)
    assert "last.wav" in paths(jobs)


async def test_one_statement_alone_has_no_transaction_around_where_the_database_allows(
    writer, database
):
    around = []

    def write_all(connection, items):
        around.append(not none_around(connection))
        return items

    await writer.run_among(write_all, "a", one_statement=True)
    held = await _Held(writer).begun()
    tasks = await started(
        writer.run_among(write_all, "b", one_statement=True), writer.run(lambda _: None)
    )
    await held.let_go()
    await asyncio.gather(*tasks)
    assert around == [database.dialect == "sqlite", True]


async def test_a_write_that_fails_undoes_itself_alone(jobs, writer, submit):
    def fail(connection):
        submit("undone.wav")(connection)
        raise LookupError("no")

    held = await _Held(writer).begun()
    tasks = await started(
        writer.run(submit("before.wav")), writer.run(fail), writer.run(submit("after.wav"))
    )
    await held.let_go()
    _, failed, _ = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(failed, LookupError)
    assert paths(jobs) == {"before.wav", "after.wav"}


async def test_a_write_that_the_database_refuses_undoes_itself_alone(jobs, writer, submit):
    held = await _Held(writer).begun()
    tasks = await started(
        writer.run(submit("before.wav")),
        writer.run(lambda c: c.execute(ORPHAN)),
        writer.run(submit("after.wav")),
    )
    await held.let_go()
    _, failed, _ = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(failed, IntegrityError)
    assert paths(jobs) == {"before.wav", "after.wav"}


async def test_writes_run_in_the_order_in_which_they_were_asked_for(writer):
    order: list[int] = []
    held = await _Held(writer).begun()
    tasks = await started(*[writer.run(lambda _, n=n: order.append(n)) for n in range(50)])
    await held.let_go()
    await asyncio.gather(*tasks)
    assert order == list(range(50))


async def test_a_commit_that_fails_fails_only_the_write_that_made_it_fail(jobs, writer, submit):
    def orphan(connection):
        defer_checks(connection)
        connection.execute(ORPHAN)

    held = await _Held(writer).begun()
    tasks = await started(writer.run(submit("a.wav")), writer.run(orphan))
    await held.let_go()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(outcomes[1], IntegrityError)
    assert paths(jobs) == {"a.wav"}


async def test_the_writer_goes_on_after_a_commit_that_failed(jobs, writer, submit):
    def orphan(connection):
        defer_checks(connection)
        connection.execute(ORPHAN)

    with pytest.raises(IntegrityError):
        await writer.run(orphan)
    await writer.run(submit("a.wav"))
    assert paths(jobs) == {"a.wav"}


async def test_a_write_whose_caller_has_gone_stands_all_the_same(jobs, writer, submit):
    held = await _Held(writer).begun()
    (task,) = await started(writer.run(submit("a.wav")))
    task.cancel()
    await held.let_go()
    await writer.run(lambda _: None)
    assert paths(jobs) == {"a.wav"}


async def test_closing_finishes_what_was_asked_for(jobs, database, submit):
    writer = GroupWriter(database)
    held = await _Held(writer).begun()
    tasks = await started(*[writer.run(submit(f"{n}.wav")) for n in range(10)])
    closing = asyncio.create_task(asyncio.to_thread(writer.close))
    held.release()
    await asyncio.gather(closing, *tasks)
    assert len(paths(jobs)) == 10


async def test_a_closed_writer_says_so_rather_than_wait_for_ever(database, submit):
    writer = GroupWriter(database)
    writer.close()
    with pytest.raises(RuntimeError, match="closed"):
        await writer.run(submit("a.wav"))


def test_a_loop_that_ends_early_does_not_take_the_writer_with_it(jobs, writer, submit):
    let_go = threading.Event()

    async def ask_and_leave():
        await started(writer.run(lambda _: let_go.wait(10)), writer.run(submit("a.wav")))

    asyncio.run(ask_and_leave())
    let_go.set()
    asyncio.run(writer.run(submit("b.wav")))
    assert paths(jobs) == {"a.wav", "b.wav"}


async def test_what_a_write_returns_is_its_callers_answer(writer):
    assert await writer.run(lambda c: c.execute(JOBS.select()).all()) == []


def note_calls(calls):
    """A write for many at once that notes the items of each call, and returns or refuses them."""

    def write_all(_connection, items):
        calls.append(list(items))
        if "breaks" in items:
            raise LookupError("broken")
        return [ValueError(item) if item == "refused" else item.upper() for item in items]

    return write_all


async def test_writes_of_a_kind_that_wait_are_one_call_in_their_order(writer):
    calls: list[list[str]] = []
    write_all = note_calls(calls)
    held = await _Held(writer).begun()
    tasks = await started(*[writer.run_among(write_all, item) for item in ("a", "b", "c")])
    await held.let_go()
    assert await asyncio.gather(*tasks) == ["A", "B", "C"]
    assert calls == [["a", "b", "c"]]


async def test_an_error_returned_for_one_of_many_is_raised_to_its_caller_alone(writer):
    write_all = note_calls([])
    held = await _Held(writer).begun()
    tasks = await started(*[writer.run_among(write_all, item) for item in ("a", "refused")])
    await held.let_go()
    first, second = await asyncio.gather(*tasks, return_exceptions=True)
    assert first == "A"
    assert isinstance(second, ValueError)


@pytest.mark.parametrize("beside", [[], [lambda _: None]])
async def test_of_many_writes_that_failed_as_one_each_is_tried_alone(writer, beside):
    """Also where another kind of write shares the transaction."""
    calls: list[list[str]] = []
    write_all = note_calls(calls)
    held = await _Held(writer).begun()
    tasks = await started(
        *[writer.run_among(write_all, item) for item in ("a", "breaks", "c")],
        *[writer.run(work) for work in beside],
    )
    await held.let_go()
    first, broken, third, *_ = await asyncio.gather(*tasks, return_exceptions=True)
    assert (first, third) == ("A", "C")
    assert isinstance(broken, LookupError)
    assert calls == [["a", "breaks", "c"], ["a"], ["breaks"], ["c"]]
