"""Deleting what is held of an owner: small steps, each a transaction that can be done again after a crash.

Every step names the attempt at the job that erases, counts in that job's row what it deleted, and does nothing once the
job is no longer the attempt's own. So the counts are right however often it was begun anew.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, func, select, tuple_, update

from harken.jobs.cancellation import decide
from harken.jobs.change import change
from harken.jobs.job import Job
from harken.jobs.owners.holdings import HOLDINGS, Holding
from harken.jobs.state import JobState
from harken.jobs.store.schema import JOBS

CHUNK = 500  # rows that one transaction deletes, so that others do not wait for long

_OPEN = tuple(state.value for state in JobState if not state.terminal)


class LostJob(Exception):
    """The job that erases is no longer this attempt's: it was cancelled, or another attempt has it."""


def cancel_open(connection: Connection, owner: str, *, but: str, now: datetime) -> int:
    """Asks for up to `CHUNK` open jobs of an owner to be stopped, all but one; returns how many are not yet."""
    # In the order of their ids, so that two such transactions cannot wait for each other.
    query = select(JOBS.c.job_id).where(*_open(owner, but)).order_by(JOBS.c.job_id).limit(CHUNK)
    for job_id in connection.execute(query).scalars().all():
        change(connection, job_id, now, lambda job: decide(job, now))
    left = select(func.count()).select_from(JOBS).where(*_open(owner, but))
    return connection.execute(left).scalar_one()


def count(connection: Connection, owner: str, *, but: str) -> int:
    """How many rows there are to delete."""
    total = 0
    for holding in HOLDINGS:
        query = holding.of(owner, func.count()).select_from(holding.table)
        total += connection.execute(query.where(*_but(holding, but))).scalar_one()
    return total


def some_keys(connection: Connection, holding: Holding, owner: str) -> list[str]:
    """The storage's keys of up to `CHUNK` rows that `erase_with_keys` may delete once the bytes are gone."""
    return list(connection.execute(holding.of(owner, holding.table.c.key).limit(CHUNK)).scalars())


def erase_with_keys(
    connection: Connection, job: Job, holding: Holding, owner: str, keys: list[str]
) -> int:
    """Deletes the rows of bytes that are gone; returns how many. Raises LostJob."""
    table = holding.table
    gone = connection.execute(
        delete(table).where(table.c.owner == owner, table.c.key.in_(keys))
    ).rowcount
    _note(connection, job, {holding.name: gone})
    return gone


def erase_rows(connection: Connection, job: Job, holding: Holding, owner: str) -> int:
    """Deletes up to `CHUNK` rows of a table that names its owner; returns how many. Raises LostJob."""
    key = tuple_(*holding.order)
    found = holding.of(owner, *holding.order).where(*_but(holding, job.job_id)).limit(CHUNK)
    rows = [tuple(row) for row in connection.execute(found)]
    if rows:
        table = holding.table
        connection.execute(delete(table).where(table.c.owner == owner, key.in_(rows)))
        _note(connection, job, {holding.name: len(rows)})
    return len(rows)


def erase_jobs(
    connection: Connection, job: Job, owner: str, forget: Callable[[list[str]], object]
) -> int:
    """Deletes up to `CHUNK` jobs of an owner with all that belongs to them, but not `job`; returns how many rows.

    `forget(job_ids)` is called before the commit. Raises LostJob.
    """
    query = select(JOBS.c.job_id).where(JOBS.c.owner == owner, JOBS.c.job_id != job.job_id)
    ids = list(connection.execute(query.order_by(JOBS.c.job_id).limit(CHUNK)).scalars())
    if not ids:
        return 0
    forget(ids)
    gone: dict[str, int] = {}
    for holding in HOLDINGS:
        if holding.of_jobs or holding.table is JOBS:
            table = holding.table
            deleted = connection.execute(delete(table).where(table.c.job_id.in_(ids)))
            gone[holding.name] = deleted.rowcount
    _note(connection, job, gone)
    return sum(gone.values())


def forget_owner(connection: Connection, job: Job) -> None:
    """Takes the owner's name out of the job that has erased it. For the transaction that ends the job."""
    connection.execute(
        update(JOBS)
        .where(JOBS.c.job_id == job.job_id, JOBS.c.attempt == job.attempt)
        .values(spec={"deleted": noted(connection, job)})
    )


def _note(connection: Connection, job: Job, gone: Mapping[str, int]) -> None:
    """Adds to the counts. Raises LostJob."""
    counts = noted(connection, job)
    for name, number in gone.items():
        counts[name] = counts.get(name, 0) + number
    written = connection.execute(
        update(JOBS)
        .where(
            JOBS.c.job_id == job.job_id,
            JOBS.c.attempt == job.attempt,
            JOBS.c.state == JobState.RUNNING.value,
        )
        .values(spec={**(job.spec or {}), "deleted": counts})
    )
    if written.rowcount == 0:
        raise LostJob


def noted(connection: Connection, job: Job) -> dict[str, int]:
    """What was deleted so far, by all attempts."""
    spec = connection.execute(select(JOBS.c.spec).where(JOBS.c.job_id == job.job_id)).scalar_one()
    return dict((spec or {}).get("deleted", {}))


def _open(owner: str, but: str) -> tuple[ColumnElement[bool], ...]:
    return (JOBS.c.owner == owner, JOBS.c.job_id != but, JOBS.c.state.in_(_OPEN))


def _but(holding: Holding, job_id: str) -> tuple[ColumnElement[bool], ...]:
    """All but the rows of the job that erases, which may be the owner's own."""
    return (holding.table.c.job_id != job_id,) if "job_id" in holding.table.c else ()
