"""Publishing by the relay, from the outbox to the broker and marked, against a loop of `apply_async`."""

import asyncio
import statistics
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.engine.report import Section, at_least
from benchmarks.service import parts
from benchmarks.service.path import enqueue
from harken.jobs import clock, submission
from harken.jobs.job import NewBatch, NewJob, Source
from harken.jobs.queueing import outbox, relay
from harken.jobs.store.database import Database
from harken.jobs.store.migrate import migrate
from harken.redis.connections import connect
from harken.server.housekeeping.publisher import Publisher
from harken.server.store import Store
from harken.settings import Settings

AT_LEAST: Final = 4.0  # × messages/s


def measure(*, rounds: int, jobs: int) -> Section:
    """The publisher alone, and with it what the relay reads and writes, on SQLite and PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="harken-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        _, broker = stack.enter_context(parts.redis(folder))
        _, postgresql = stack.enter_context(parts.postgresql(folder))
        databases = {
            "SQLite": Database(f"sqlite:///{folder / 'harken.db'}"),
            "PostgreSQL": Database(parts.new_database(postgresql)),
        }
        for database in databases.values():
            stack.callback(database.close)
            migrate(database)
        client = stack.enter_context(connect(broker))
        spent: dict[str, list[float]] = {}
        for number in range(rounds + 1):  # the first round is not counted
            took = {"publisher": asyncio.run(_publish(broker, jobs))}
            client.flushdb()
            for kind, database in databases.items():
                took[f"relay, {kind}"] = asyncio.run(_relay(database, broker, jobs))
                client.flushdb()
            took["apply_async()"] = enqueue("apply_async", jobs, {"PEER_BROKER_URL": broker})
            client.flushdb()
            for who, seconds in took.items():
                spent.setdefault(who, []).extend([jobs / seconds] if number else [])
    rates = {who: statistics.median(some) for who, some in spent.items()}
    return Section(
        part="publish",
        title=f"{jobs:,} messages to Redis",
        columns=("", "messages/s", "÷ apply_async()"),
        rows=tuple(
            (who, f"{rate:,.0f}", f"{rate / rates['apply_async()']:.1f}")
            for who, rate in rates.items()
        ),
        targets=(
            at_least(
                "publisher ÷ apply_async()", rates["publisher"] / rates["apply_async()"], AT_LEAST
            ),
        ),
        notes=("relay: choosing, publishing and marking, its windows wide open.",),
    )


async def _publish(broker: str, jobs: int) -> float:
    """Seconds for so many messages, as many at a time as the relay gives."""
    publisher = Publisher(Settings(broker_url=broker))
    await publisher.ping()
    waiting = [
        outbox.Outgoing(job_id=f"{number:032x}", attempt=0, queue="audio_processing", priority=5)
        for number in range(jobs)
    ]
    begun = time.perf_counter()
    for start in range(0, jobs, relay.AT_ONCE):
        await publisher.publish(waiting[start : start + relay.AT_ONCE])
    took = time.perf_counter() - begun
    await publisher.close()
    return took


async def _relay(database: Database, broker: str, jobs: int) -> float:
    """Seconds from a full outbox to an empty one, by the steps of `server/relay.py`."""
    new = NewJob(
        source=Source(kind="path", value="a.wav"), features=("rhythm",), queue="audio_processing"
    )
    with database.write() as connection:
        batch = NewBatch(items=tuple((number, new) for number in range(jobs)))
        submission.submit_batch(connection, batch, owner="local", now=datetime.now(UTC))
    publisher = Publisher(Settings(broker_url=broker))
    store = Store(database)
    await publisher.ping()
    begun = time.perf_counter()
    while True:
        found = await store.read(
            lambda c: relay.next_jobs(c, clock.now(c), without_workers=2 * jobs)
        )
        if not found.jobs:
            break
        await publisher.publish(found.jobs)
        await store.write(lambda c, sent=found.jobs: outbox.mark_published(c, sent, clock.now(c)))
    took = time.perf_counter() - begun
    await publisher.close()
    with database.write() as connection:  # out of the way of the next round's windows
        connection.exec_driver_sql("UPDATE harken_jobs SET state = 'CANCELLED'")
    return took
