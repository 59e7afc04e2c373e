import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import text

from harken.jobs.store.migrate import check
from harken.jobs.upkeep import optimization, retention
from tests.jobs.conftest import ON_SQLITE


def fill_and_empty(jobs):
    """Jobs with results of some size, deleted again."""
    for _ in range(100):
        jobs.succeed(jobs.running(), {"a": "x" * 20_000})
    jobs.advance(days=31)
    moment = retention.moment_of(jobs.now, 30)
    jobs.write(lambda c: retention.delete_ended_before(c, moment))


@pytest.mark.parametrize("way", [optimization.optimize, optimization.vacuum])
def test_jobs_are_there_as_before(jobs, way):
    job = jobs.running()
    jobs.succeed(job, {"a": 1})
    way(jobs.database)
    assert jobs.result(job) == {"a": 1}
    assert len(jobs.log(job)) == 3
    check(jobs.database)
    assert jobs.succeed(jobs.running()) is not None


def test_the_planner_has_statistics_afterwards(jobs):
    for _ in range(20):
        jobs.submit()
    optimization.optimize(jobs.database)
    query = {
        "sqlite": "SELECT count(*) FROM sqlite_stat1 WHERE tbl = 'harken_jobs'",
        "postgresql": "SELECT count(*) FROM pg_stats WHERE tablename = 'harken_jobs'",
    }[jobs.database.dialect]
    assert jobs.read(lambda c: c.execute(text(query)).scalar_one()) > 0


def test_room_of_deleted_jobs_is_given_back(jobs):
    fill_and_empty(jobs)
    if jobs.database.dialect == "sqlite":
        assert optimization.optimize(jobs.database)["freed_bytes"] > 1_000_000
    else:
        assert optimization.vacuum(jobs.database)["freed_bytes"] > 0
    assert optimization.optimize(jobs.database)["freed_bytes"] == 0


def test_it_is_done_while_others_write(jobs):
    """A group of changes before, between and after; none of them is refused."""
    fill_and_empty(jobs)
    works = [lambda: jobs.cancel(jobs.submit()), lambda: optimization.optimize(jobs.database)] * 3
    jobs.at_once(*works)
    assert len(jobs.listed()) == 3


@ON_SQLITE  # PostgreSQL has no such files
def test_a_file_without_room_to_give_back_bit_by_bit_is_made_such_by_a_vacuum(jobs):
    file = jobs.database.engine.url.database
    with closing(sqlite3.connect(file)) as old:  # as older versions made it
        old.executescript("PRAGMA journal_mode=DELETE; PRAGMA auto_vacuum=NONE; VACUUM")
        assert old.execute("PRAGMA auto_vacuum").fetchone() == (0,)
    fill_and_empty(jobs)
    assert optimization.optimize(jobs.database)["freed_bytes"] == 0
    assert optimization.vacuum(jobs.database)["freed_bytes"] > 1_000_000
    fill_and_empty(jobs)
    assert optimization.optimize(jobs.database)["freed_bytes"] > 1_000_000
