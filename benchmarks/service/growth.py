"""What calls cost with a thousand and with a million finished jobs in the tables, side by side."""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, text

from benchmarks.engine.report import Section, Target, at_most
from benchmarks.service import parts
from harken.jobs import queries, submission
from harken.jobs.job import NewJob, Source
from harken.jobs.queueing import relay, workers
from harken.jobs.store.database import Database
from harken.jobs.store.migrate import migrate
from harken.jobs.upkeep.optimization import optimize
from harken.tasks.queues import AUDIO, QUEUES

AT_MOST: Final = 1.5  # × what it costs with few
PAGE: Final = 50
WAITING: Final = 200  # jobs, for the relay to choose from
OWNER: Final = "local"

# Each finished job with its three transitions and its result; ids in the order of time, as harken gives them.
JOBS: Final = """
INSERT INTO harken_jobs (job_id, owner, state, revision, attempt, priority, queue, source_kind, source, features,
    labels, worker, create_time, start_time, end_time)
SELECT {job_id}, 'local', 'SUCCEEDED', 3, 1, 5, 'audio_processing', 'path', 'album/' || n || '.wav',
    '["rhythm", "tonal"]', '{{"album": "a"}}', 'worker-1@host', {time}, {time}, {time}
FROM {numbers}
"""
TRANSITIONS: Final = """
INSERT INTO harken_transitions (job_id, revision, attempt, before, after, worker, time)
SELECT {job_id}, {revision}, {attempt}, {before}, '{after}', 'worker-1@host', {time} FROM {numbers}
"""
RESULTS: Final = """
INSERT INTO harken_results (job_id, result) SELECT {job_id}, '{{"media": {{"durationS": 1.5}}}}' FROM {numbers}
"""
STEPS: Final = (
    {"revision": 1, "attempt": 0, "before": "NULL", "after": "QUEUED"},
    {"revision": 2, "attempt": 1, "before": "'QUEUED'", "after": "RUNNING"},
    {"revision": 3, "attempt": 1, "before": "'RUNNING'", "after": "SUCCEEDED"},
)
OLDEST_MS: Final = 0x0190_0000_0000
SQLITE: Final = {
    "job_id": f"printf('%012x70008000000000000000', {OLDEST_MS} + n)",
    "time": "'2026-01-01 00:00:00.000000'",
    "numbers": "(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < :size) SELECT n FROM c)",
}
POSTGRESQL: Final = {
    "job_id": f"(lpad(to_hex({OLDEST_MS} + n), 12, '0') || '70008000000000000000')::uuid",
    "time": "'2026-01-01 00:00:00+00'::timestamptz",
    "numbers": "generate_series(1, :size) AS n",
}


def measure(*, looks: int, few: int, many: int) -> Iterator[Section]:
    """Both databases, one after the other."""
    for kind in ("SQLite", "PostgreSQL"):
        yield _on(kind, looks=looks, few=few, many=many)


def _on(kind: str, *, looks: int, few: int, many: int) -> Section:
    with tempfile.TemporaryDirectory(prefix="harken-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        urls = {size: f"sqlite:///{folder / str(size)}.db" for size in (few, many)}
        if kind == "PostgreSQL":
            _, server = stack.enter_context(parts.postgresql(folder))
            urls = {size: parts.new_database(server) for size in (few, many)}
        databases: dict[int, Database] = {}
        begun = time.perf_counter()
        for size, url in urls.items():
            databases[size] = Database(url)
            stack.callback(databases[size].close)
            migrate(databases[size])
            fill(databases[size], size)
        filled_s = time.perf_counter() - begun
        spent = {what: _compare(call, databases, looks) for what, call in _calls(few).items()}
    rows: list[tuple[str, ...]] = []
    targets: list[Target] = []
    for what, ms in spent.items():
        ratio = ms[many] / ms[few]
        rows.append((what, f"{ms[few]:.2f}", f"{ms[many]:.2f}", f"{ratio:.2f}"))
        targets.append(at_most(f"{what}, {kind}", ratio, AT_MOST))
    return Section(
        part="growth",
        title=f"with {few:,} and {many:,} finished jobs, {kind}, medians of {looks}",
        columns=("", f"{few:,}: ms", f"{many:,}: ms", "ratio"),
        rows=tuple(rows),
        targets=tuple(targets),
        notes=(f"Filled in {filled_s:.0f} s; statistics as the hourly maintenance keeps them.",),
    )


def fill(database: Database, size: int) -> None:
    """Puts so many finished jobs into an empty database, and some that wait."""
    postgresql = database.dialect == "postgresql"
    spelling = POSTGRESQL if postgresql else SQLITE
    statements = [
        JOBS.format(**spelling),
        *(TRANSITIONS.format(**spelling, **step) for step in STEPS),
        RESULTS.format(**spelling),
    ]
    tables = ("harken_jobs", "harken_transitions", "harken_results")
    with database.write() as connection:
        # Checks row by row would take minutes, and what is written here fits together.
        for table in tables if postgresql else ():
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
        for statement in statements:
            connection.execute(text(statement), {"size": size})
        for table in tables if postgresql else ():
            connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER ALL"))
    with database.write() as connection:
        for _ in range(WAITING):
            _submit(connection)
    optimize(database)


def _calls(few: int) -> Mapping[str, Callable[[Database], object]]:
    """What is measured; each in a transaction of its own, as the server has it."""
    middle = f"{OLDEST_MS + few // 2:012x}"
    some_id = f"{middle[:8]}-{middle[8:]}-7000-8000-000000000000"

    def read(work: Callable[[Connection], object]) -> Callable[[Database], object]:
        def call(database: Database) -> object:
            with database.read() as connection:
                return work(connection)

        return call

    def submit(database: Database) -> object:
        with database.write() as connection:
            return _submit(connection)

    def get(connection: Connection) -> object:
        job = queries.get_job(connection, some_id, owner=OWNER)
        return job, queries.get_result(connection, some_id)

    def page(connection: Connection) -> object:
        return queries.list_jobs(connection, queries.JobFilter(), owner=OWNER, limit=PAGE + 1)

    def inspect(connection: Connection) -> object:
        now = datetime.now(UTC)
        return workers.list_workers(connection, now), workers.list_queues(connection, QUEUES, now)

    return {
        "submit": submit,
        "get": read(get),
        "list": read(page),
        "relay": read(lambda c: relay.next_jobs(c, datetime.now(UTC))),
        "inspect": read(inspect),
    }


def _submit(connection: Connection) -> object:
    new = NewJob(source=Source(kind="path", value="a.wav"), features=("rhythm",), queue=AUDIO)
    return submission.submit_job(connection, new, owner=OWNER, now=datetime.now(UTC))


def _compare(
    call: Callable[[Database], object], databases: Mapping[int, Database], looks: int
) -> dict[int, float]:
    """Median milliseconds by the size of the database, which take turns."""
    spent: dict[int, list[float]] = {size: [] for size in databases}
    for number in range(looks + 3):  # the first ones fill caches, and are not counted
        for size, database in databases.items():
            begun = time.perf_counter()
            call(database)
            spent[size] += [(time.perf_counter() - begun) * 1000] if number >= 3 else []
    return {size: statistics.median(some) for size, some in spent.items()}
