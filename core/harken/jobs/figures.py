"""How many jobs went from where to where: counts of the transition log, which nothing changes afterwards."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from harken.jobs import log
from harken.jobs.job import ErrorKind
from harken.jobs.state import JobState
from harken.jobs.store.schema import JOBS, TRANSITIONS

CHUNK = 20_000  # positions that one read counts: some 50 ms


@dataclass(frozen=True, kw_only=True)
class Step:
    """A change of a job's state; `before` is None for a new job."""

    queue: str
    before: JobState | None
    after: JobState
    kind: ErrorKind | None


def steps_after(connection: Connection, position: int) -> tuple[Counter[Step], int]:
    """How often each step was made after a position, and up to which one that is: `CHUNK` further at most."""
    reached = min(log.head(connection), position + CHUNK)
    columns = (
        JOBS.c.queue,
        TRANSITIONS.c.before,
        TRANSITIONS.c.after,
        TRANSITIONS.c.error_kind,
    )
    counted = (
        select(*columns, func.count().label("number"))
        .join_from(TRANSITIONS, JOBS, TRANSITIONS.c.job_id == JOBS.c.job_id)
        .where(TRANSITIONS.c.position > position, TRANSITIONS.c.position <= reached)
        .group_by(*columns)
    )
    steps: Counter[Step] = Counter()
    for row in connection.execute(counted):
        step = Step(
            queue=row.queue,
            before=None if row.before is None else JobState(row.before),
            after=JobState(row.after),
            kind=None if row.error_kind is None else ErrorKind(row.error_kind),
        )
        steps[step] += row.number
    return steps, max(reached, position)
