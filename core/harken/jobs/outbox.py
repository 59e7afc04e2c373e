"""The outbox: queued rows that the broker does not have yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, or_, select, tuple_, update

from harken.jobs.schema import JOBS
from harken.jobs.state import JobState


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """A job as the broker has to know it."""

    job_id: str
    attempt: int
    queue: str
    priority: int


def due(connection: Connection, now: datetime, limit: int) -> tuple[Outgoing, ...]:
    """The jobs to publish next: the most urgent first, then the oldest."""
    query = (
        select(JOBS.c.job_id, JOBS.c.attempt, JOBS.c.queue, JOBS.c.priority)
        .where(
            JOBS.c.state == JobState.QUEUED.value,
            JOBS.c.published_at.is_(None),
            or_(JOBS.c.not_before.is_(None), JOBS.c.not_before <= now),
        )
        .order_by(JOBS.c.priority.desc(), JOBS.c.job_id)
        .limit(limit)
    )
    return tuple(
        Outgoing(job_id=row.job_id, attempt=row.attempt, queue=row.queue, priority=row.priority)
        for row in connection.execute(query)
    )


def mark_published(connection: Connection, jobs: Sequence[Outgoing], now: datetime) -> None:
    """Notes that the broker has the jobs.

    One that was claimed and put back in between is left alone: its message is used up, and the claim
    has raised its attempt.
    """
    published = [(job.job_id, job.attempt) for job in jobs]
    connection.execute(
        update(JOBS)
        .where(
            tuple_(JOBS.c.job_id, JOBS.c.attempt).in_(published),
            JOBS.c.state == JobState.QUEUED.value,
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


def publish_again(connection: Connection, job_id: str) -> bool:
    """Puts a queued job back into the outbox, whose message has died with the process that had it."""
    waiting = JOBS.c.job_id == job_id, JOBS.c.state == JobState.QUEUED.value
    again = connection.execute(
        update(JOBS).where(*waiting, JOBS.c.published_at.is_not(None)).values(published_at=None)
    )
    return again.rowcount > 0
