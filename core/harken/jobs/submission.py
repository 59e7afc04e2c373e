"""Accepting jobs: rows and the first transition, in one transaction. A repeated request_id makes nothing."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from harken.jobs import batch_rows, log, queries
from harken.jobs.errors import RequestIdReused
from harken.jobs.ids import new_id
from harken.jobs.job import Batch, Job, JobKind, NewBatch, NewJob, RefusedItem
from harken.jobs.request_ids import raced
from harken.jobs.schema import BATCHES, JOBS
from harken.jobs.state import JobState

CHUNK = 1_000  # request_ids looked up at once: SQLite takes 32,766 parameters


@dataclass(frozen=True, kw_only=True)
class Submission:
    """A job that somebody wants made."""

    new: NewJob
    owner: str


@dataclass(frozen=True, kw_only=True)
class _Made:
    """What an earlier submit with the same request_id made."""

    job_id: str
    request_hash: str


def submit_job(connection: Connection, new: NewJob, *, owner: str, now: datetime) -> Job:
    """Makes the job, or finds the one that its request_id made. Raises RequestIdReused."""
    (outcome,) = submit_jobs(connection, [Submission(new=new, owner=owner)], now=now)
    if isinstance(outcome, RequestIdReused):
        raise outcome
    return outcome


def submit_jobs(
    connection: Connection, submissions: Sequence[Submission], *, now: datetime
) -> list[Job | RequestIdReused]:
    """Does as `submit_job` for each, with as many statements as for one; errors are returned in the job's place.

    Raises IntegrityError when another transaction was first with a request_id of several: each alone will find its job.
    """
    if len(submissions) > 1:
        return _submit_jobs(connection, submissions, now)  # without the round trips of a savepoint
    return raced(connection, lambda: _submit_jobs(connection, submissions, now))


def submit_batch(connection: Connection, new: NewBatch, *, owner: str, now: datetime) -> Batch:
    """Makes the batch, or finds the one that its request_id made. Raises RequestIdReused.

    An item whose own request_id made a job before, or stands twice in the batch, is refused.
    """
    return raced(connection, lambda: _submit_batch(connection, new, owner, now))


def _submit_jobs(
    connection: Connection, submissions: Sequence[Submission], now: datetime
) -> list[Job | RequestIdReused]:
    earlier = {
        owner: _made_by(
            connection, owner, [one.new.request_id for one in submissions if one.owner == owner]
        )
        for owner in {one.owner for one in submissions}
    }
    outcomes: list[Job | RequestIdReused | _Made] = []
    rows: list[dict[str, Any]] = []
    for one in submissions:
        new, request_id = one.new, one.new.request_id
        made = earlier[one.owner].get(request_id) if request_id else None
        if made is None:
            job = _job(new_id(now), one, now)
            rows.append(_row(job.job_id, new, one.owner, None, now))
            outcomes.append(job)
            if request_id is not None:
                request_hash = rows[-1]["request_hash"]
                made = _Made(job_id=job.job_id, request_hash=request_hash)
                earlier[one.owner][request_id] = made
        elif request_id is not None and made.request_hash != payload_hash(new):
            outcomes.append(RequestIdReused(request_id, f"job {made.job_id}"))
        else:
            outcomes.append(made)
    _insert(connection, rows)
    return [
        queries.get_job(connection, outcome.job_id, owner=one.owner)
        if isinstance(outcome, _Made)
        else outcome
        for one, outcome in zip(submissions, outcomes, strict=True)
    ]


def _made_by(
    connection: Connection, owner: str, request_ids: Iterable[str | None]
) -> dict[str, _Made]:
    """What request_ids have made."""
    made: dict[str, _Made] = {}
    wanted = [request_id for request_id in request_ids if request_id is not None]
    for start in range(0, len(wanted), CHUNK):
        query = select(JOBS.c.request_id, JOBS.c.job_id, JOBS.c.request_hash).where(
            JOBS.c.owner == owner, JOBS.c.request_id.in_(wanted[start : start + CHUNK])
        )
        for row in connection.execute(query):
            made[row.request_id] = _Made(job_id=row.job_id, request_hash=row.request_hash)
    return made


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
    if batch_rows.alike(items):
        rows = [
            batch_rows.BatchRow(job_id=job_id, new=item, request_hash=_request_hash(item))
            for job_id, item in zip(ids, items, strict=True)
        ]
        batch_rows.insert_rows(connection, rows, owner=owner, batch_id=batch_id, now=now)
    else:
        jobs = list(zip(ids, items, strict=True))
        insert_jobs(connection, jobs, owner=owner, batch_id=batch_id, now=now)
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
    if new.kind is not JobKind.ANALYSIS:
        payload.append([new.kind, new.spec])
    if new.skip_cache:
        payload.append(["skip_cache", True])
    return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()


def _request_hash(new: NewJob) -> str:
    return payload_hash(new) if new.request_id else ""


def _without_reused(
    connection: Connection, items: Sequence[tuple[int, NewJob]], owner: str
) -> tuple[list[NewJob], list[RefusedItem]]:
    request_ids = [item.request_id for _, item in items]
    made = {
        request_id: f"made job {earlier.job_id}"
        for request_id, earlier in _made_by(connection, owner, request_ids).items()
    }
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
    _insert(connection, [_row(job_id, new, owner, batch_id, now) for job_id, new in jobs])


def _insert(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    # Analyses have no need of the columns of other kinds, and rows of one statement have the same ones.
    for alike in (
        [row for row in rows if "kind" not in row],
        [row for row in rows if "kind" in row],
    ):
        if alike:
            connection.execute(insert(JOBS), alike)
    log.append(
        connection,
        [
            {
                "job_id": row["job_id"],
                "batch_id": row["batch_id"],
                "revision": 1,
                "attempt": 0,
                "after": JobState.QUEUED.value,
                "time": row["create_time"],
            }
            for row in rows
        ],
    )


def _row(
    job_id: str, new: NewJob, owner: str, batch_id: str | None, now: datetime
) -> dict[str, Any]:
    row = {
        "job_id": job_id,
        "owner": owner,
        "batch_id": batch_id,
        "request_id": new.request_id,
        "request_hash": _request_hash(new),
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
        "skip_cache": new.skip_cache,
        "create_time": now,
        "schedule_deadline": now + new.schedule_timeout if new.schedule_timeout else None,
    }
    if new.kind is not JobKind.ANALYSIS:
        row |= {"kind": new.kind.value, "spec": new.spec}
    return row


def _job(job_id: str, wanted: Submission, now: datetime) -> Job:
    """The job as it will be read from its row."""
    new = wanted.new
    return Job(
        job_id=job_id,
        owner=wanted.owner,
        batch_id=None,
        state=JobState.QUEUED,
        revision=1,
        attempt=0,
        crashes=0,
        retries=0,
        priority=new.priority,
        queue=new.queue,
        source=new.source,
        features=new.features,
        labels=new.labels,
        error=None,
        worker=None,
        create_time=now,
        start_time=None,
        end_time=None,
        stopped_time=None,
        schedule_deadline=now + new.schedule_timeout if new.schedule_timeout else None,
        run_timeout=new.run_timeout,
        retry_of=new.retry_of,
        kind=new.kind,
        spec=new.spec,
        skip_cache=new.skip_cache,
    )
