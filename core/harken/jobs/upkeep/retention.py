"""Deleting jobs some time after their end, with their results and logs."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, exists, or_, select

from harken.jobs.queueing.workers import SHOWN_FOR
from harken.jobs.store.schema import (
    ACTIONS,
    ARTIFACTS,
    BATCHES,
    DISMISSALS,
    EMBEDDINGS,
    JOBS,
    KEYS,
    LEADERS,
    RESULTS,
    TRANSITIONS,
    WORKERS,
)

CHUNK = 500  # jobs that one transaction deletes, so that others do not wait for long
ACTIONS_KEPT = timedelta(days=365)  # who did what is asked for longer than what came of it


def delete_ended_before(connection: Connection, moment: datetime) -> int:
    """Deletes up to `CHUNK` jobs that ended before a moment; returns how many, 0 when none is left."""
    ended = select(JOBS.c.job_id).where(JOBS.c.end_time < moment).limit(CHUNK)
    job_ids = connection.execute(ended).scalars().all()
    for table in (EMBEDDINGS, RESULTS, TRANSITIONS, DISMISSALS, ARTIFACTS, JOBS):
        connection.execute(delete(table).where(table.c.job_id.in_(job_ids)))
    return len(job_ids)


def delete_empty_batches(connection: Connection, moment: datetime) -> int:
    """Deletes batches from before a moment that have no job left; returns how many."""
    has_job = exists().where(JOBS.c.batch_id == BATCHES.c.batch_id)
    gone = connection.execute(delete(BATCHES).where(BATCHES.c.create_time < moment, ~has_job))
    return gone.rowcount


def delete_silent_workers(connection: Connection, now: datetime) -> int:
    """Deletes workers that are no longer shown; returns how many."""
    gone = connection.execute(delete(WORKERS).where(WORKERS.c.heartbeat_time < now - SHOWN_FOR))
    return gone.rowcount


def delete_gone_servers(connection: Connection, now: datetime) -> int:
    """Deletes the leases of servers that ended without giving them up; returns how many."""
    gone = connection.execute(delete(LEADERS).where(LEADERS.c.expires_at < now - SHOWN_FOR))
    return gone.rowcount


def delete_old_actions(connection: Connection, now: datetime) -> int:
    """Deletes records of actions after a year; returns how many."""
    gone = connection.execute(delete(ACTIONS).where(ACTIONS.c.time < now - ACTIONS_KEPT))
    return gone.rowcount


def delete_old_keys(connection: Connection, now: datetime) -> int:
    """Deletes keys that have not held for a year, for which the record of actions may name them; returns how many."""
    since = now - ACTIONS_KEPT
    no_more = or_(KEYS.c.revoke_time < since, KEYS.c.expire_time < since)
    return connection.execute(delete(KEYS).where(no_more)).rowcount


def moment_of(now: datetime, days: int) -> datetime:
    """The moment before which jobs are past their retention."""
    return now - timedelta(days=days)
