"""Leases: a worker's main process renews those of its children's jobs; who stops renewing has died."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select, tuple_, update

from harken.jobs.execution import LEASE, lose
from harken.jobs.state import HELD, JobState
from harken.jobs.store.schema import HELD_BY_WORKERS, JOBS

_HELD = [state.value for state in HELD]
CHUNK = 100  # jobs that one transaction puts back


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where a job stands for the worker that is on it: `cancelled_for` is how long ago its cancel was asked for."""

    job_id: str
    attempt: int
    state: JobState
    worker: str | None
    pid: int | None
    cancelled_for: timedelta | None
    run_timeout: timedelta | None


_STANDING = tuple(
    JOBS.c[name]
    for name in ["job_id", "attempt", "state", "worker", "pid", "cancel_time", "run_timeout_s"]
)


def renew(
    connection: Connection,
    attempts: Collection[tuple[str, int]],
    now: datetime,
    lease: timedelta = LEASE,
) -> tuple[Standing, ...]:
    """Prolongs the leases of those (job_id, attempt) that still hold their jobs; returns where these stand."""
    if not attempts:
        return ()
    renewed = connection.execute(
        update(JOBS)
        .where(tuple_(JOBS.c.job_id, JOBS.c.attempt).in_(attempts), JOBS.c.state.in_(_HELD))
        .values(lease_expires_at=now + lease)
        .returning(*_STANDING)
    )
    return tuple(_standing(row, now) for row in renewed)


def look(connection: Connection, job_ids: Collection[str], now: datetime) -> tuple[Standing, ...]:
    """Where these jobs stand, whoever holds them."""
    found = connection.execute(select(*_STANDING).where(JOBS.c.job_id.in_(job_ids)))
    return tuple(_standing(row, now) for row in found)


def any_expired(connection: Connection, now: datetime) -> bool:
    """Whether there is something to reap: a read, where `reap` is a write."""
    expired = select(JOBS.c.job_id).where(HELD_BY_WORKERS, JOBS.c.lease_expires_at < now)
    return connection.execute(expired.limit(1)).one_or_none() is not None


def reap(connection: Connection, *, max_crashes: int, now: datetime) -> int:
    """Ends or puts back up to `CHUNK` jobs whose lease has expired; returns how many."""
    expired = connection.execute(
        select(JOBS.c.job_id, JOBS.c.attempt)
        .where(HELD_BY_WORKERS, JOBS.c.lease_expires_at < now)
        .order_by(JOBS.c.job_id)
        .limit(CHUNK)
        .with_for_update(skip_locked=True)
    ).all()
    for row in expired:
        lose(
            connection,
            row.job_id,
            row.attempt,
            now,
            cause="its worker is gone",
            max_crashes=max_crashes,
        )
    return len(expired)


def _standing(row: Row[Any], now: datetime) -> Standing:
    return Standing(
        job_id=row.job_id,
        attempt=row.attempt,
        state=JobState(row.state),
        worker=row.worker,
        pid=row.pid,
        cancelled_for=None if row.cancel_time is None else now - row.cancel_time,
        run_timeout=None if row.run_timeout_s is None else timedelta(seconds=row.run_timeout_s),
    )
