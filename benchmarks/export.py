"""How fast results become a file, and in how much memory: `python -m benchmarks.export [ROWS] [SQLite|PostgreSQL]`.

For each database and format the body of an export runs in a process of its own, as in a worker's child: over a tenth of
the rows, and over all of them (1,000,000 unless said otherwise). The rows are made by SQL, each with the result of a
real analysis without its beats and onsets; that all have the same one makes Parquet's file small. Memory is the highest
that the process had resident, before and after. Linux only.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import text

from benchmarks.relay import POSTGRESQL, SQLITE, databases
from harken.jobs.export import ExportFormat
from harken.jobs.store.database import Database

ROWS = 1_000_000
MB = 1_000_000
OWNER = "local"

JOBS = """
INSERT INTO harken_jobs (job_id, owner, state, revision, attempt, priority, queue, source_kind, source, features,
    labels, create_time, start_time, end_time)
SELECT {job_id}, 'local', 'SUCCEEDED', 3, 1, 5, 'default', 'path', 'music/song ' || n || '.flac',
    '["media", "rhythm"]', '{{"set": "benchmark"}}', {now}, {now}, {now}
FROM {numbers}
"""
RESULTS = "INSERT INTO harken_results (job_id, result) SELECT job_id, {result} FROM harken_jobs"
RESULT_OF = {"sqlite": ":result", "postgresql": "CAST(:result AS json)"}


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What an export took; memory in bytes."""

    seconds: float
    file_bytes: int
    memory_before: int
    memory_after: int


def typical_result(folder: Path) -> str:
    """The result of a real analysis as JSON, without what grows with the length of a file."""
    # The children have no use for them, and their memory is what is measured.
    from demo.piece import compose, write
    from harken.audio import analyze

    file = folder / "piece.wav"
    write(file, compose(duration_s=12))
    result = analyze(file).to_dict()
    result["rhythm"].pop("beats_s", None)
    result["onsets"].pop("onsets_s", None)
    return json.dumps(result)


def fill(database: Database, rows: int, result: str) -> None:
    """Puts that many ended jobs with their results into the database, and no others."""
    spelling = SQLITE if database.dialect == "sqlite" else POSTGRESQL
    with database.write() as connection:
        connection.execute(text("DELETE FROM harken_results"))
        connection.execute(text("DELETE FROM harken_transitions"))
        connection.execute(text("DELETE FROM harken_jobs"))
        connection.execute(text(JOBS.format(**spelling)), {"size": rows})
        into = RESULTS.format(result=RESULT_OF[database.dialect])
        connection.execute(text(into), {"result": result})


def measured(url: str, folder: Path, format_: ExportFormat) -> Figures:
    """What an export of all that is in the database takes, in a process of its own."""
    environment = {
        **os.environ,
        "HARKEN_DATABASE_URL": url,
        "HARKEN_STORAGE_URL": str(folder / "storage"),
        "HARKEN_BROKER_URL": f"redis+socket://{folder}/none.sock",  # a bell that nobody hears
        "HARKEN_MAX_RETRIES": "0",
    }
    command = [sys.executable, "-m", "benchmarks.export", "--child", format_.value]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    return Figures(**json.loads(done.stdout.splitlines()[-1]))


def child(format_: ExportFormat) -> Figures:
    """Runs one export in this process, as a worker's child does."""
    from datetime import UTC, datetime

    from harken.jobs import queries, submission
    from harken.jobs.export import Export
    from harken.jobs.files import artifacts
    from harken.jobs.job import NO_SOURCE, JobKind, NewJob
    from harken.jobs.queries import JobFilter
    from harken.jobs.state import JobState
    from harken.tasks.attempt import TASKS

    task = TASKS[JobKind.EXPORT]
    task.update_state = lambda **_: None  # pyright: ignore[reportFunctionMemberAccess, reportAttributeAccessIssue] # nobody watches
    database = Database(os.environ["HARKEN_DATABASE_URL"])
    where = JobFilter(states=(JobState.SUCCEEDED,))
    spec = Export(format=format_, where=where).to_spec()
    new = NewJob(source=NO_SOURCE, features=(), queue="maintenance", kind=JobKind.EXPORT, spec=spec)
    with database.write() as connection:
        job = submission.submit_job(connection, new, owner=OWNER, now=datetime.now(UTC))
    memory_before = highest_memory()
    begun = time.perf_counter()
    task.run(job.job_id)  # pyright: ignore[reportFunctionMemberAccess] # a task
    seconds = time.perf_counter() - begun
    with database.read() as connection:
        job = queries.get_job(connection, job.job_id, owner=OWNER)
        assert job.state is JobState.SUCCEEDED, job.error
        (artifact,) = artifacts.of_job(connection, job.job_id, owner=OWNER)
    return Figures(
        seconds=seconds,
        file_bytes=artifact.size,
        memory_before=memory_before,
        memory_after=highest_memory(),
    )


def highest_memory() -> int:
    """The most that this process had resident, in bytes."""
    # Not getrusage, which begins with what the parent had.
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise NotImplementedError("only Linux says so")


def main() -> None:
    """Measures and prints."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["--child"]:
        print(json.dumps(asdict(child(ExportFormat(arguments[1])))))
        return
    numbers = [int(argument) for argument in arguments if argument.isdigit()]
    names = [argument for argument in arguments if not argument.isdigit()]
    rows = numbers[0] if numbers else ROWS
    with tempfile.TemporaryDirectory() as name, databases(Path(name)) as opened:
        folder = Path(name)
        result = typical_result(folder)
        print(f"a result has {len(result):,} bytes of JSON")
        print(f"{'':>22}{'rows':>12}{'rows/s':>10}{'file':>10}{'memory before':>15}{'highest':>10}")
        for label, database in opened.items():
            if names and label not in names:
                continue
            url = database.engine.url.render_as_string(hide_password=False)
            for size in (rows // 10, rows):
                fill(database, size, result)
                for format_ in ExportFormat:
                    found = measured(url, folder / label, format_)
                    print(
                        f"{label:>12} {format_.value:>9}{size:>12,}{size / found.seconds:>10,.0f}"
                        f"{found.file_bytes / MB:>7,.0f} MB{found.memory_before / MB:>12,.0f} MB"
                        f"{found.memory_after / MB:>7,.0f} MB",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
