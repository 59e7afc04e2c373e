"""What is asked again and again reads an index of the jobs it is about, however many have ended."""

from contextlib import contextmanager

import pytest
from sqlalchemy import event

from harken.jobs import deadlines, leases
from harken.jobs.queueing import outbox, relay, workers
from harken.jobs.store.database import Database
from tests.jobs.conftest import NOW

ASKED_OFTEN = {
    "leases": lambda c: leases.any_expired(c, NOW),
    "reaper": lambda c: leases.reap(c, max_crashes=3, now=NOW),
    "deadlines": lambda c: deadlines.any_overdue(c, NOW),
    "retries": lambda c: outbox.any_ripe(c, NOW),
    "published": outbox.published,
    "relay": lambda c: relay.next_jobs(c, NOW),
    "queues": lambda c: workers.list_queues(c, ["default"], NOW),
    "workers": lambda c: workers.list_workers(c, NOW),
}


@contextmanager
def statements(database):
    """What is asked of the database meanwhile."""
    asked = []

    def note(_connection, _cursor, statement, parameters, *_):
        asked.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    yield asked
    event.remove(database.engine, "before_cursor_execute", note)


@pytest.mark.parametrize("name", ASKED_OFTEN)
def test_no_plan_of_sqlite_reads_all_jobs(migrated_sqlite, name):
    """SQLite takes a partial index only where the statement spells its condition out."""
    database = Database(f"sqlite:///{migrated_sqlite}")
    with statements(database) as asked, database.read() as connection:
        ASKED_OFTEN[name](connection)
    with database.read() as connection:
        plans = [
            step.detail
            for statement, parameters in asked
            if statement.startswith(("SELECT", "UPDATE", "\n    WITH", "WITH"))
            for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
    database.close()
    assert plans
    assert [plan for plan in plans if "SCAN harken_jobs" in plan and "USING" not in plan] == []
