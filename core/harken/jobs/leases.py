"""Leases: a worker's main process renews those of its children's jobs; who stops renewing has died."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select, update

from harken.jobs.execution import LEASE, lose
from harken.jobs.schema import JOBS
from harken.jobs.state import HELD

_HELD = [state.value for state in HELD]
CHUNK = 100  # jobs that one transaction puts back


def renew(connection: Connection, job_ids: Sequence[str], *, worker: str, now: datetime) -> None:
    """Prolongs the leases of the jobs that the worker still holds."""
    connection.execute(
        update(JOBS)
        .where(JOBS.c.job_id.in_(job_ids), JOBS.c.worker == worker, JOBS.c.state.in_(_HELD))
        .values(lease_expires_at=now + LEASE)
    )


def any_expired(connection: Connection, now: datetime) -> bool:
    """Whether there is something to reap: a read, where `reap` is a write."""
    expired = select(JOBS.c.job_id).where(JOBS.c.state.in_(_HELD), JOBS.c.lease_expires_at < now)
    return connection.execute(expired.limit(1)).one_or_none() is not None


def reap(connection: Connection, *, max_crashes: int, now: datetime) -> int:
    """Ends or puts back up to `CHUNK` jobs whose lease has expired; returns how many."""
    expired = connection.execute(
        select(JOBS.c.job_id, JOBS.c.worker)
        .where(JOBS.c.state.in_(_HELD), JOBS.c.lease_expires_at < now)
        .order_by(JOBS.c.job_id)
        .limit(CHUNK)
        .with_for_update(skip_locked=True)
    ).all()
    for row in expired:
        lose(
            connection,
            row.job_id,
            worker=row.worker,
            cause="its worker is gone",
            max_crashes=max_crashes,
            now=now,
        )
    return len(expired)
