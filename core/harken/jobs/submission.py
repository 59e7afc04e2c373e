"""Accepting jobs: rows and the first transition, in one transaction. A repeated request_id makes nothing."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from harken.jobs import log, queries
from harken.jobs.errors import RequestIdReused
from harken.jobs.ids import new_id
from harken.jobs.job import Batch, Job, NewBatch, NewJob, RefusedItem
from harken.jobs.request_ids import raced
from harken.jobs.schema import BATCHES, JOBS
from harken.jobs.state import JobState

CHUNK = 1_000  # request_ids looked up at once: SQLite takes 32,766 parameters


def submit_job(connection: Connection, new: NewJob, *, owner: str, now: datetime) -> Job:
    """Makes the job, or finds the one that its request_id made. Raises RequestIdReused."""
    return raced(connection, lambda: _submit_job(connection, new, owner, now))


def submit_batch(connection: Connection, new: NewBatch, *, owner: str, now: datetime) -> Batch:
    """Makes the batch, or finds the one that its request_id made. Raises RequestIdReused.

    An item whose own request_id made a job before, or stands twice in the batch, is refused.
    """
    return raced(connection, lambda: _submit_batch(connection, new, owner, now))


def _submit_job(connection: Connection, new: NewJob, owner: str, now: datetime) -> Job:
    if new.request_id is not None:
        query = select(JOBS.c.job_id, JOBS.c.request_hash).where(
            JOBS.c.owner == owner, JOBS.c.request_id == new.request_id
        )
        if made := connection.execute(query).one_or_none():
            if made.request_hash != payload_hash(new):
                raise RequestIdReused(new.request_id, f"job {made.job_id}")
            return queries.get_job(connection, made.job_id, owner=owner)
    job_id = new_id(now)
    insert_jobs(connection, [(job_id, new)], owner=owner, batch_id=None, now=now)
    return queries.get_job(connection, job_id, owner=owner)


def _submit_batch(connection: Connection, new: NewBatch, owner: str, now: datetime) -> Batch:
    if new.request_id is not None:
        query = select(BATCHES.c.batch_id, BATCHES.c.request_hash).where(
            BATCHES.c.owner == owner, BATCHES.c.request_id == new.request_id
        )
        if made := connection.execute(query).one_or_none():
            if made.request_hash != new.request_hash:
                raise RequestIdReused(new.request_id, f"batch {made.batch_id}")
            return queries.get_batch(connection, made.batch_id, owner=owner)
    items, reused = _without_reused(connection, new.items, owner)
    refused = sorted((*new.refused, *reused), key=lambda item: item.index)
    batch_id = new_id(now)
    connection.execute(
        insert(BATCHES).values(
            batch_id=batch_id,
            owner=owner,
            request_id=new.request_id,
            request_hash=new.request_hash,
            refused=[asdict(item) for item in refused],
            create_time=now,
        )
    )
    # In the order of the items: of one millisecond, only chance orders the ids.
    ids = sorted(new_id(now) for _ in items)
    insert_jobs(
        connection,
        list(zip(ids, items, strict=True)),
        owner=owner,
        batch_id=batch_id,
        now=now,
    )
    return queries.get_batch(connection, batch_id, owner=owner)


def payload_hash(new: NewJob) -> str:
    """What two submits have in common when they ask for the same."""
    payload: list[Any] = [
        new.source.kind,
        new.source.value,
        list(new.features),
        new.priority,
        sorted(new.labels.items()),
    ]
    # Left out where they are not wanted: what was hashed before they were known holds.
    if new.schedule_timeout is not None:
        payload.append(["schedule_timeout", new.schedule_timeout.total_seconds()])
    if new.run_timeout is not None:
        payload.append(["run_timeout", new.run_timeout.total_seconds()])
    return hashlib.sha256(json.dumps(payload).encode()).hexdigest()


def _without_reused(
    connection: Connection, items: Sequence[tuple[int, NewJob]], owner: str
) -> tuple[list[NewJob], list[RefusedItem]]:
    made: dict[str, str] = {}
    request_ids = [item.request_id for _, item in items if item.request_id is not None]
    for start in range(0, len(request_ids), CHUNK):
        query = select(JOBS.c.request_id, JOBS.c.job_id).where(
            JOBS.c.owner == owner, JOBS.c.request_id.in_(request_ids[start : start + CHUNK])
        )
        made.update((row.request_id, f"made job {row.job_id}") for row in connection.execute(query))
    fresh: list[NewJob] = []
    refused: list[RefusedItem] = []
    for index, item in items:
        earlier = made.get(item.request_id) if item.request_id else None
        if earlier is None:
            fresh.append(item)
        else:
            message = f"The request_id {item.request_id} already {earlier}."
            refused.append(RefusedItem(index=index, reason="REQUEST_ID_REUSED", message=message))
        if item.request_id is not None:
            made.setdefault(item.request_id, f"stands at index {index} of this batch")
    return fresh, refused


def insert_jobs(
    connection: Connection,
    jobs: Sequence[tuple[str, NewJob]],
    *,
    owner: str,
    batch_id: str | None,
    now: datetime,
) -> None:
    """Writes jobs with the ids that they are to have, and their first transitions."""
    if not jobs:
        return
    connection.execute(
        insert(JOBS), [_row(job_id, new, owner, batch_id, now) for job_id, new in jobs]
    )
    log.append(
        connection,
        [
            {
                "job_id": job_id,
                "batch_id": batch_id,
                "revision": 1,
                "attempt": 0,
                "after": JobState.QUEUED.value,
                "time": now,
            }
            for job_id, _ in jobs
        ],
    )


def _row(
    job_id: str, new: NewJob, owner: str, batch_id: str | None, now: datetime
) -> dict[str, Any]:
    return {
        "job_id": job_id,
        "owner": owner,
        "batch_id": batch_id,
        "request_id": new.request_id,
        "request_hash": payload_hash(new) if new.request_id else "",
        "retry_of": new.retry_of,
        "state": JobState.QUEUED.value,
        "revision": 1,
        "priority": new.priority,
        "queue": new.queue,
        "source_kind": new.source.kind,
        "source": new.source.value,
        "features": list(new.features),
        "labels": dict(new.labels),
        "run_timeout_s": new.run_timeout.total_seconds() if new.run_timeout else None,
        "trace_parent": new.trace_parent,
        "create_time": now,
        "schedule_deadline": now + new.schedule_timeout if new.schedule_timeout else None,
    }
