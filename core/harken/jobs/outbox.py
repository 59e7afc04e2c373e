"""The outbox: queued rows that the broker does not have yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from harken.jobs.schema import JOBS
from harken.jobs.state import JobState
from sqlalchemy import Connection, or_, select, update


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """A job as the broker has to know it."""

    job_id: str
    queue: str
    priority: int


def due(connection: Connection, now: datetime, limit: int) -> tuple[Outgoing, ...]:
    """The jobs to publish next: the most urgent first, then the oldest."""
    query = (
        select(JOBS.c.job_id, JOBS.c.queue, JOBS.c.priority)
        .where(
            JOBS.c.state == JobState.QUEUED.value,
            JOBS.c.published_at.is_(None),
            or_(JOBS.c.not_before.is_(None), JOBS.c.not_before <= now),
        )
        .order_by(JOBS.c.priority.desc(), JOBS.c.job_id)
        .limit(limit)
    )
    return tuple(
        Outgoing(job_id=row.job_id, queue=row.queue, priority=row.priority)
        for row in connection.execute(query)
    )


def mark_published(connection: Connection, job_ids: Sequence[str], now: datetime) -> None:
    """Notes that the broker has the jobs.

    A job that was claimed and put back in between is published again later: its mark is wiped when
    it is put back, and here only those that still wait for their first mark are marked.
    """
    connection.execute(
        update(JOBS)
        .where(
            JOBS.c.job_id.in_(job_ids),
            JOBS.c.state == JobState.QUEUED.value,
            JOBS.c.published_at.is_(None),
            JOBS.c.not_before.is_(None) | (JOBS.c.not_before <= now),
        )
        .values(published_at=now)
    )


def forget_published(connection: Connection) -> int:
    """Puts all queued jobs back into the outbox, as the broker has lost them; returns how many."""
    forgotten = connection.execute(
        update(JOBS)
        .where(JOBS.c.state == JobState.QUEUED.value, JOBS.c.published_at.is_not(None))
        .values(published_at=None)
    )
    return forgotten.rowcount
