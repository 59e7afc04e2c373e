"""What the metrics cost: `python benchmarks/metrics.py`.

How long the look at the database takes as the finished jobs grow, for SQLite and PostgreSQL, with 10^3, 10^5 and 10^6
of them (or the numbers given as arguments), 100 that wait, and 1,000 changes of state since the last look. Then what
one attempt costs a worker's child, what one call costs a server, and how long a whole page takes. Medians.
"""

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from prometheus_client import generate_latest
from sqlalchemy import text

from benchmarks.relay import POSTGRESQL, SQLITE, databases
from harken.jobs import figures, log
from harken.jobs.clock import now
from harken.jobs.queueing import workers
from harken.jobs.store.database import Database
from harken.server.metrics.counts import Counts
from harken.server.metrics.server_metrics import ServerMetrics
from harken.settings import Settings
from harken.tasks.measurement import Measurement, Pipe
from harken.tasks.queues import QUEUES

SIZES = (1_000, 100_000, 1_000_000)
WAITING = 100
NEWS = 1_000
LOOKS = 30
CALLS = 10_000

FILL = """
INSERT INTO harken_jobs (job_id, owner, state, revision, priority, queue, source_kind, source, features, labels,
    create_time, end_time)
SELECT {job_id}, 'local', CASE WHEN n > {waiting} THEN 'SUCCEEDED' ELSE 'QUEUED' END, 1, 5, 'audio_processing', 'path',
    'a.wav', '[]', '{{}}', {now}, CASE WHEN n > {waiting} THEN {now} END
FROM {numbers}
"""
NEW_STEPS = """
INSERT INTO harken_transitions (job_id, revision, attempt, after, time)
SELECT {job_id}, 1, 0, 'QUEUED', {now} FROM {numbers}
"""


def fill(database: Database, size: int) -> None:
    """Puts that many finished jobs into an empty database, and some that wait."""
    spelling = SQLITE if database.dialect == "sqlite" else POSTGRESQL
    with database.write() as connection:
        connection.execute(text("DELETE FROM harken_jobs"))
        fill_jobs = FILL.format(waiting=WAITING, **spelling)
        connection.execute(text(fill_jobs), {"size": size + WAITING})
        connection.execute(text(NEW_STEPS.format(**spelling)), {"size": min(NEWS, size)})


def look_ms(database: Database) -> float:
    """The median time of a look at queues, workers and the steps since the last look."""

    def look() -> None:
        with database.read() as connection:
            moment = now(connection)
            (waiting, *_) = [
                queue.queued
                for queue in workers.list_queues(connection, QUEUES, moment)
                if queue.queued
            ]
            workers.list_workers(connection, moment)
            steps, _ = figures.steps_after(connection, max(log.head(connection) - NEWS, 0))
        assert waiting == WAITING
        assert sum(steps.values()) == NEWS

    return median_ms(look)


def median_ms(work: Callable[[], object], times: int = LOOKS) -> float:
    """The median time of some work."""
    took: list[float] = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        took.append((time.perf_counter() - begun) * 1000)
    return statistics.median(took)


def attempt_us() -> float:
    """The median cost of telling of one attempt, in a child, in microseconds."""
    pipe = Pipe()
    reader = threading.Thread(target=pipe.receive, args=(lambda _: None,), daemon=True)
    reader.start()
    stages = {"decode": 1.234567, "timbre": 0.1, "rhythm": 0.2, "summary": 0.3}
    measured = Measurement(
        queue="audio_processing",
        outcome="SUCCEEDED",
        queued_s=0.5,
        run_s=2.0,
        cpu_s=1.9,
        audio_s=240.0,
        stages=stages,
    )
    cost = median_ms(lambda: pipe.send(measured), CALLS) * 1000
    pipe.close()
    reader.join()
    return cost


def main(sizes: list[int]) -> None:
    """Measures and prints."""
    print(f"{'finished jobs':>14}  {'SQLite':>9}  {'PostgreSQL':>10}   a look at the database")
    with tempfile.TemporaryDirectory() as folder, databases(Path(folder)) as opened:
        for size in sizes:
            cells: list[str] = []
            for database in opened.values():
                fill(database, size)
                cells.append(f"{look_ms(database):6.1f} ms")
            print(f"{size:>14,}  {cells[0]:>9}  {cells[1]:>10}")
        url = opened["SQLite"].engine.url.render_as_string(hide_password=False)
        metrics = ServerMetrics(Settings(database_url=url), Counts())
        method = "/harken.v1.JobService/GetJob"
        call_us = median_ms(lambda: metrics.observe(method, "OK", 0.002), CALLS) * 1000
        page_ms = median_ms(lambda: generate_latest(metrics.registry))
        metrics.close()
    print(f"an attempt, told by a child   {attempt_us():6.1f} µs")
    print(f"a call, observed by a server  {call_us:6.1f} µs")
    print(f"a page of a server            {page_ms:6.1f} ms, without the look")


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or list(SIZES))
