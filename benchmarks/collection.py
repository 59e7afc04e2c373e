"""How fast a collection is counted, in how much memory: `python -m benchmarks.collection [ROWS] [SQLite|PostgreSQL]`.

For each database the body of a report runs in a process of its own, as in a worker's child: over a tenth of the rows,
and over all of them (1,000,000 unless said otherwise). The rows are made by SQL, with sixteen different results of
the features that are counted. Memory is the highest that the process had resident, before and after. With `--reading`
it measures instead how results are read, over results as long as those of a song with all features: values taken out by
the database, as harken does, beside whole results parsed by orjson. Linux only.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import Connection, Text, cast, select, text

from benchmarks.export import MB, OWNER, RESULT_OF, highest_memory
from benchmarks.relay import POSTGRESQL, SQLITE, databases
from harken.jobs.collection.rows import Collection, page
from harken.jobs.queries import JobFilter
from harken.jobs.store.database import Database
from harken.jobs.store.schema import RESULTS

ROWS = 1_000_000
READ_ROWS = 5_000
PAGE = 500
ROUNDS = 3
FEATURES = ("media", "rhythm", "tonal", "spectral", "loudness", "onsets")

JOBS = """
INSERT INTO harken_jobs (job_id, owner, state, revision, attempt, priority, queue, source_kind, source, features,
    labels, create_time, start_time, end_time)
SELECT {job_id}, 'local', 'SUCCEEDED', 3, 1, 5, 'default', 'path', 'music/song ' || n || '.flac',
    :features, '{{"set": "benchmark"}}', {now}, {now}, {now}
FROM {numbers}
"""
FEATURES_OF = {"sqlite": ":features", "postgresql": "CAST(:features AS json)"}
# The last digit of its id says which of the results a job has.
DIGIT = {"sqlite": "substr(job_id, 32, 1)", "postgresql": "right(CAST(job_id AS text), 1)"}
PUT = "INSERT INTO harken_results (job_id, result) SELECT job_id, {result} FROM harken_jobs WHERE {digit} = :digit"


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What a report took; memory in bytes."""

    seconds: float
    page_bytes: int
    memory_before: int
    memory_after: int


def results(folder: Path, *, whole: bool) -> list[str]:
    """Sixteen results as JSON: of what is counted, without what grows with length, or `whole` ones of a song."""
    # The children have no use for them, and their memory is what is measured.
    from demo.piece import compose, write
    from harken.audio import analyze

    file = folder / "piece.wav"
    write(file, compose(duration_s=12))
    found = analyze(file).to_dict()
    song_s = 200.0
    found["rhythm"]["beats_s"] = (
        [round(i * 0.5012, 6) for i in range(int(song_s / 0.5))] if whole else []
    )
    found["onsets"]["onsets_s"] = (
        [round(i * 0.2113, 6) for i in range(int(song_s / 0.2))] if whole else []
    )
    wanted = found if whole else {name: found[name] for name in FEATURES}
    made: list[str] = []
    for number in range(16):
        wanted["rhythm"]["tempo_bpm"] = 80.0 + 5.3 * number
        wanted["loudness"]["integrated_lufs"] = -20.0 + number
        made.append(json.dumps(wanted))
    return made


def fill(database: Database, rows: int, made: list[str]) -> None:
    """Puts that many ended jobs with their results into the database, and no others."""
    dialect = database.dialect
    spelling = SQLITE if dialect == "sqlite" else POSTGRESQL
    jobs = JOBS.format(**spelling).replace(":features", FEATURES_OF[dialect])
    put = text(PUT.format(result=RESULT_OF[dialect], digit=DIGIT[dialect]))
    with database.write() as connection:
        for table in ("artifacts", "results", "transitions", "jobs"):
            connection.execute(text(f"DELETE FROM harken_{table}"))
        connection.execute(text(jobs), {"size": rows, "features": json.dumps(FEATURES)})
        for digit, result in zip("0123456789abcdef", made, strict=True):
            connection.execute(put, {"digit": digit, "result": result})


def measured(url: str, folder: Path) -> Figures:
    """What a report on all that is in the database takes, in a process of its own."""
    environment = {
        **os.environ,
        "HARKEN_DATABASE_URL": url,
        "HARKEN_STORAGE_URL": str(folder / "storage"),
        "HARKEN_BROKER_URL": f"redis+socket://{folder}/none.sock",  # a bell that nobody hears
        "HARKEN_MAX_RETRIES": "0",
    }
    command = [sys.executable, "-m", "benchmarks.collection", "--child"]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    return Figures(**json.loads(done.stdout.splitlines()[-1]))


def child() -> Figures:
    """Runs one report in this process, as a worker's child does."""
    from datetime import UTC, datetime

    from harken.jobs import queries, submission
    from harken.jobs.collection.report import Report
    from harken.jobs.files import artifacts
    from harken.jobs.job import NO_SOURCE, JobKind, NewJob
    from harken.jobs.state import JobState
    from harken.tasks.attempt import TASKS

    task = TASKS[JobKind.REPORT]
    task.update_state = lambda **_: None  # pyright: ignore[reportFunctionMemberAccess, reportAttributeAccessIssue] # nobody watches
    database = Database(os.environ["HARKEN_DATABASE_URL"])
    spec = Report(where=JobFilter()).to_spec()
    new = NewJob(source=NO_SOURCE, features=(), queue="maintenance", kind=JobKind.REPORT, spec=spec)
    with database.write() as connection:
        job = submission.submit_job(connection, new, owner=OWNER, now=datetime.now(UTC))
    memory_before = highest_memory()
    begun = time.perf_counter()
    task.run(job.job_id)  # pyright: ignore[reportFunctionMemberAccess] # a task
    seconds = time.perf_counter() - begun
    with database.read() as connection:
        job = queries.get_job(connection, job.job_id, owner=OWNER)
        assert job.state is JobState.SUCCEEDED, job.error
        made = {one.name: one.size for one in artifacts.of_job(connection, job.job_id, owner=OWNER)}
    return Figures(
        seconds=seconds,
        page_bytes=made["report.html"],
        memory_before=memory_before,
        memory_after=highest_memory(),
    )


def read_taken_out(connection: Connection, after_id: str | None) -> list[Any]:
    """A page as harken reads it."""
    everything = Collection(owner=OWNER, where=JobFilter())
    rows = page(connection, everything, after_id=after_id, limit=PAGE)
    for row in rows:
        json.loads(row.found)
    return rows


def read_whole(connection: Connection, after_id: str | None) -> list[Any]:
    """A page of whole results, parsed as an export does."""
    import orjson

    query = select(RESULTS.c.job_id, cast(RESULTS.c.result, Text).label("result"))
    if after_id is not None:
        query = query.where(RESULTS.c.job_id > after_id)
    rows = list(connection.execute(query.order_by(RESULTS.c.job_id).limit(PAGE)))
    for row in rows:
        orjson.loads(row.result)
    return rows


def read_all(
    database: Database, read: Callable[[Connection, str | None], list[Any]]
) -> tuple[float, float]:
    """Rows a second, and milliseconds of this process a thousand rows."""
    after_id, done = None, 0
    begun, own = time.perf_counter(), time.process_time()
    while True:
        with database.read() as connection:
            rows = read(connection, after_id)
        if not rows:
            break
        after_id, done = rows[-1].job_id, done + len(rows)
    own_ms = (time.process_time() - own) * 1e6 / done
    return done / (time.perf_counter() - begun), own_ms


def compare_reading(label: str, database: Database, rows: int, made: list[str]) -> None:
    """Prints how the two ways of reading compare, by medians of interleaved rounds."""
    fill(database, rows, made)
    ways = {"taken out": read_taken_out, "whole": read_whole}
    figures: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, read in ways.items():
            figures[name].append(read_all(database, read))
    speeds = {name: median(speed for speed, _ in found) for name, found in figures.items()}
    for name, found in figures.items():
        own_ms = median(own for _, own in found)
        print(
            f"{label:>12} {name:>10}{speeds[name]:>10,.0f} rows/s{own_ms:>8.1f} ms a thousand rows in this process"
        )
    print(f"{label:>12} taken out ÷ whole: {speeds['taken out'] / speeds['whole']:.2f}", flush=True)


def main() -> None:
    """Measures and prints."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["--child"]:
        print(json.dumps(asdict(child())))
        return
    reading = "--reading" in arguments
    numbers = [int(argument) for argument in arguments if argument.isdigit()]
    names = [one for one in arguments if not one.isdigit() and not one.startswith("-")]
    rows = numbers[0] if numbers else READ_ROWS if reading else ROWS
    with tempfile.TemporaryDirectory() as name, databases(Path(name)) as opened:
        folder = Path(name)
        made = results(folder, whole=reading)
        print(f"a result has {len(made[0]):,} bytes of JSON", flush=True)
        for label, database in opened.items():
            if names and label not in names:
                continue
            if reading:
                compare_reading(label, database, rows, made)
                continue
            url = database.engine.url.render_as_string(hide_password=False)
            for size in (rows // 10, rows):
                fill(database, size, made)
                found = measured(url, folder / label)
                print(
                    f"{label:>12}{size:>12,} rows{size / found.seconds:>10,.0f} rows/s"
                    f"{found.page_bytes / 1000:>7,.0f} kB"
                    f"{found.memory_before / MB:>8,.0f} MB before{found.memory_after / MB:>6,.0f} MB highest",
                    flush=True,
                )


if __name__ == "__main__":
    main()
