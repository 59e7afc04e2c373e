"""What is left when all is over: the jobs in the database, and what the workers' logs say of attempts."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from harken.jobs.store.database import Database
from harken.jobs.store.schema import BATCHES, DISMISSALS, JOBS, RESULTS, TRANSITIONS
from tests.chaos.history import TERMINAL, Execution, FinalJob, Logged

# [2026-01-02 03:04:05,678: INFO/ForkPoolWorker-1] job … attempt 1 starts: piece.mp3
ATTEMPT = re.compile(
    r"^\[(?P<time>[\d-]+ [\d:,]+): \w+/[\w-]+\] job (?P<job>[\w-]+) attempt (?P<attempt>\d+) "
    r"(?:(?P<starts>starts): |ends: (?P<end>\w+))",
    re.MULTILINE,
)


def final_jobs(database_url: str) -> tuple[FinalJob, ...]:
    """All jobs, with their logs."""
    database = Database(database_url, pooled=False)
    with database.read() as connection:
        logs = _logs(connection)
        results = dict(
            connection.execute(
                select(RESULTS.c.job_id, func.count()).group_by(RESULTS.c.job_id)
            ).all()
        )
        batches = dict(connection.execute(select(BATCHES.c.batch_id, BATCHES.c.request_id)).all())
        dismissed = set(connection.execute(select(DISMISSALS.c.job_id)).scalars())
        rows = connection.execute(select(JOBS).order_by(JOBS.c.job_id)).all()
        jobs = (_job(row, logs, results, batches) for row in rows)
        return tuple(replace(job, dismissed=job.job_id in dismissed) for job in jobs)


def unfinished(database_url: str) -> int:
    """How many jobs have not ended."""
    query = select(func.count()).where(JOBS.c.state.not_in(TERMINAL)).select_from(JOBS)
    with Database(database_url, pooled=False).read() as connection:
        return connection.execute(query).scalar_one()


def executions(log: Path) -> Iterator[Execution]:
    """What a worker's log says of attempts."""
    for found in ATTEMPT.finditer(log.read_text(errors="replace")):
        yield Execution(
            job_id=found["job"],
            attempt=int(found["attempt"]),
            what=found["starts"] or found["end"],
            time=datetime.fromisoformat(found["time"].replace(",", ".")).timestamp(),
        )


def _logs(connection: Connection) -> dict[str, list[Logged]]:
    logs: dict[str, list[Logged]] = defaultdict(list)
    for row in connection.execute(select(TRANSITIONS).order_by(TRANSITIONS.c.position)):
        logs[row.job_id].append(
            Logged(
                revision=row.revision,
                attempt=row.attempt,
                before=row.before or "",
                after=row.after,
                time=row.time.timestamp(),
                error_kind=row.error_kind or "",
                position=row.position,
            )
        )
    return logs


def _job(
    row: Any, logs: dict[str, list[Logged]], results: dict[str, int], batches: dict[str, str | None]
) -> FinalJob:
    return FinalJob(
        job_id=row.job_id,
        state=row.state,
        revision=row.revision,
        attempt=row.attempt,
        source=row.source,
        crashes=row.crashes,
        retries=row.retries,
        request_id=row.request_id or batches.get(row.batch_id) or "",
        batch_id=row.batch_id or "",
        retry_of=row.retry_of or "",
        error_kind=row.error_kind or "",
        stopped=row.stopped_time is not None,
        results=results.get(row.job_id, 0),
        published=row.published_at is not None,
        log=tuple(logs[row.job_id]),
    )
