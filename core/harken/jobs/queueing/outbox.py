"""The outbox: queued rows that the broker does not have yet, and those that it should have."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, tuple_, update

from harken.jobs.job import JobKind
from harken.jobs.state import JobState
from harken.jobs.store.schema import DELAYED, JOBS, PUBLISHED

CHUNK = 500  # rows that one transaction changes, so that others do not wait for long


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """A job as the broker has to know it."""

    job_id: str
    attempt: int
    queue: str
    priority: int
    trace_parent: str | None = None
    kind: JobKind = JobKind.ANALYSIS


@dataclass(frozen=True, kw_only=True)
class Published:
    """A job that the broker should have, since no worker has taken it yet."""

    job_id: str
    attempt: int
    published_at: datetime


def any_ripe(connection: Connection, now: datetime) -> bool:
    """Whether a retry is due: a read, where `ripen` is a write."""
    ripe = select(JOBS.c.job_id).where(DELAYED, JOBS.c.not_before <= now)
    return connection.execute(ripe.limit(1)).one_or_none() is not None


def ripen(connection: Connection, now: datetime) -> int:
    """Puts up to `CHUNK` retries that are due among the jobs that wait; returns how many."""
    ripe = (
        select(JOBS.c.job_id)
        .where(DELAYED, JOBS.c.not_before <= now)
        .order_by(JOBS.c.not_before)
        .limit(CHUNK)
    )
    job_ids = connection.execute(ripe).scalars().all()
    connection.execute(
        update(JOBS)
        .where(JOBS.c.job_id.in_(job_ids), JOBS.c.state == JobState.QUEUED.value)
        .values(not_before=None)
    )
    return len(job_ids)


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


def published(connection: Connection) -> tuple[Published, ...]:
    """The jobs that the broker should have: no more than the relay's windows let through."""
    query = select(JOBS.c.job_id, JOBS.c.attempt, JOBS.c.published_at).where(PUBLISHED)
    return tuple(
        Published(job_id=row.job_id, attempt=row.attempt, published_at=row.published_at)
        for row in connection.execute(query)
    )


def forget_published(connection: Connection, jobs: Sequence[Published]) -> int:
    """Puts jobs back into the outbox whose messages the broker has lost; returns how many.

    One that was claimed in between is left alone.
    """
    forgotten = 0
    for start in range(0, len(jobs), CHUNK):
        lost = [(job.job_id, job.attempt) for job in jobs[start : start + CHUNK]]
        done = connection.execute(
            update(JOBS)
            .where(tuple_(JOBS.c.job_id, JOBS.c.attempt).in_(lost), PUBLISHED)
            .values(published_at=None)
        )
        forgotten += done.rowcount
    return forgotten


def publish_again(connection: Connection, job_id: str) -> bool:
    """Puts a queued job back into the outbox, whose message has died with the process that had it."""
    waiting = JOBS.c.job_id == job_id, JOBS.c.state == JobState.QUEUED.value
    again = connection.execute(
        update(JOBS).where(*waiting, JOBS.c.published_at.is_not(None)).values(published_at=None)
    )
    return again.rowcount > 0
