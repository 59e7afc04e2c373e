"""What it costs a job to ask whether its result is known, where it is not: the file's identity, a digest, a query.

    python benchmarks/known_results.py [--jobs 100000] [--rounds 500] [--postgresql]

On a database with that many results of one owner; the median of each step, in microseconds.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update

from harken.audio.version import engine_version
from harken.jobs import known_results, queries, submission
from harken.jobs.job import NewBatch, NewJob, Source
from harken.jobs.store.database import Database
from harken.jobs.store.migrate import migrate
from harken.jobs.store.schema import JOBS, RESULTS
from harken.settings import Settings
from harken.tasks import known

BATCH = 10_000


def fill(database: Database, jobs: int) -> None:
    """Makes so many jobs that have succeeded."""
    with database.write() as connection:
        for _ in range(0, jobs, BATCH):
            new = NewJob(source=Source(kind="path", value="a"), features=(), queue="default")
            batch = NewBatch(items=tuple((index, new) for index in range(BATCH)))
            submission.submit_batch(connection, batch, owner="local", now=datetime.now(UTC))
        ids = connection.execute(select(JOBS.c.job_id)).scalars().all()
        rows: list[dict[str, Any]] = [{"job_id": job_id, "result": {}} for job_id in ids]
        connection.execute(insert(RESULTS), rows)
        connection.execute(update(JOBS).values(state="SUCCEEDED", end_time=datetime.now(UTC)))
        for job_id in ids:
            this = update(JOBS).where(JOBS.c.job_id == job_id)
            connection.execute(this.values(content_key=known_results.content_key(job_id, (), "")))


def median_us(work: Callable[[], object], rounds: int) -> float:
    """The median time of the work."""
    took: list[float] = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        took.append(time.perf_counter() - begun)
    return statistics.median(took) * 1e6


def measure(url: str, jobs: int, rounds: int) -> None:
    """Prints a line for a database."""
    migrate(Database(url, pooled=False))
    database = Database(url)
    fill(database, jobs)
    with database.read() as connection:
        (job,) = queries.list_jobs(connection, queries.JobFilter(), owner="local", limit=1)
    engine_version()
    settings = Settings()

    def ask() -> None:
        with database.read() as connection:
            known_results.find(connection, "0" * 64, owner="local")

    with Path(__file__).open("rb") as file:
        identity = median_us(lambda: known.identity_of(file.fileno()), rounds)
    key = median_us(lambda: known.key_of(job, "file:1:2:3:4:5", settings), rounds)
    query = median_us(ask, rounds)
    print(
        f"{database.dialect:10} {jobs:>9,} results: identity {identity:.1f} µs (twice),"
        f" key {key:.1f} µs, query {query:.0f} µs"
    )
    database.close()


def main() -> None:
    """Runs it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--postgresql", action="store_true", help="also on PostgreSQL")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="harken-known-"))
        measure(f"sqlite:///{folder}/harken.db", options.jobs, options.rounds)
        if options.postgresql:
            from tests.conftest import new_postgresql_database, running_postgresql

            server = stack.enter_context(running_postgresql())
            url = stack.enter_context(new_postgresql_database(server))
            measure(url, options.jobs, options.rounds)


if __name__ == "__main__":
    main()
