"""Accepting jobs: rows and the first transition, in one transaction. A repeated request_id makes nothing."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import SQLAlchemyError

from harken.jobs import job_rows, queries
from harken.jobs.errors import QuotaExceeded, RequestIdReused
from harken.jobs.ids import new_id, new_ids
from harken.jobs.job import Batch, Job, JobKind, NewBatch, NewJob, RefusedItem
from harken.jobs.job_rows import JobRow
from harken.jobs.queueing.waiting_room import WaitingRoom
from harken.jobs.request_ids import raced
from harken.jobs.state import JobState
from harken.jobs.store.schema import BATCHES, JOBS
from harken.jobs.store.transaction import none_around

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


def submit_job(
    connection: Connection,
    new: NewJob,
    *,
    owner: str,
    now: datetime,
    room: WaitingRoom | None = None,
) -> Job:
    """Makes the job, or finds the one that its request_id made. Raises RequestIdReused and QuotaExceeded."""
    (outcome,) = submit_jobs(connection, [Submission(new=new, owner=owner)], now=now, room=room)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def submit_jobs(
    connection: Connection,
    submissions: Sequence[Submission],
    *,
    now: datetime,
    room: WaitingRoom | None = None,
) -> list[Job | Exception]:
    """Does as `submit_job` for each, with as many statements as for one; errors are returned in the job's place.

    New jobs have to find room, where it is limited, and then have to be in a transaction; what a request_id made before
    has found it then. Without one, on PostgreSQL, all is made by one statement.
    """
    if room is None:
        return _submit_jobs(connection, submissions, now)
    refused = _without_room(connection, submissions, room)
    admitted = [one for place, one in enumerate(submissions) if place not in refused]
    outcomes = iter(_submit_jobs(connection, admitted, now) if admitted else ())
    return [refused.get(place) or next(outcomes) for place in range(len(submissions))]


def _submit_jobs(
    connection: Connection, submissions: Sequence[Submission], now: datetime
) -> list[Job | Exception]:
    ids = new_ids(now, len(submissions))
    rows = [
        _row(job_id, one.new, owner=one.owner, batch_id=None, now=now)
        for job_id, one in zip(ids, submissions, strict=True)
    ]
    jobs = [_job(job_id, one, now) for job_id, one in zip(ids, submissions, strict=True)]
    wanted = _first_of_each(rows)
    if none_around(connection):
        if job_rows.insert_and_log(connection, wanted) == len(rows):
            return [*jobs]
        try:
            return _made_or_found(connection, rows, jobs)[0]
        except SQLAlchemyError as error:
            # What is made stands: who has no request_id must not be told to try again.
            return [
                job if row.new.request_id is None else error
                for job, row in zip(jobs, rows, strict=True)
            ]
    if job_rows.insert_rows(connection, wanted, unless_made=True) == len(rows):
        job_rows.log_rows(connection, rows)
        return [*jobs]
    outcomes, made = _made_or_found(connection, rows, jobs)
    job_rows.log_rows(connection, made)
    return outcomes


def _made_or_found(
    connection: Connection, rows: Sequence[JobRow], jobs: Sequence[Job]
) -> tuple[list[Job | Exception], list[JobRow]]:
    """What each row has come to, as its request_id may have made a job before; and the rows that are new."""
    made = _made_by(connection, [(row.owner, row.new.request_id) for row in rows])
    outcomes: list[Job | Exception] = []
    new: list[JobRow] = []
    for job, row in zip(jobs, rows, strict=True):
        request_id = row.new.request_id
        maker = made[row.owner, request_id] if request_id else None
        if maker is None or maker.job_id == job.job_id:
            new.append(row)
            outcomes.append(job)
        elif request_id and maker.request_hash != row.request_hash:
            outcomes.append(RequestIdReused(request_id, f"job {maker.job_id}"))
        else:
            outcomes.append(queries.get_job(connection, maker.job_id, owner=row.owner))
    return outcomes, new


def _without_room(
    connection: Connection, submissions: Sequence[Submission], room: WaitingRoom
) -> dict[int, QuotaExceeded]:
    """Which of the submits find no room, by their places: those that would make a new job and come too late."""
    made = {*_made_by(connection, [(one.owner, one.new.request_id) for one in submissions])}
    new: dict[str, list[int]] = {}
    for place, one in enumerate(submissions):
        if one.new.request_id is None or (one.owner, one.new.request_id) not in made:
            new.setdefault(one.owner, []).append(place)
    return {
        place: room.refusal(owner)
        for owner, places in sorted(
            new.items()
        )  # as every process goes, so that none waits for another that waits
        for place in places[room.take(connection, owner, len(places)) :]
    }


def submit_batch(
    connection: Connection,
    new: NewBatch,
    *,
    owner: str,
    now: datetime,
    room: WaitingRoom | None = None,
) -> Batch:
    """Makes the batch, or finds the one that its request_id made. Raises RequestIdReused and QuotaExceeded.

    An item whose own request_id made a job before, or stands twice in the batch, is refused.
    """
    return raced(connection, lambda: _submit_batch(connection, new, owner, now, room))


def _first_of_each(rows: Sequence[JobRow]) -> list[JobRow]:
    """The rows without those whose request_id stands in an earlier one."""
    first: dict[tuple[str, str], JobRow] = {}
    return [
        row
        for row in rows
        if row.new.request_id is None
        or first.setdefault((row.owner, row.new.request_id), row) is row
    ]


def _made_by(
    connection: Connection, requests: Iterable[tuple[str, str | None]]
) -> dict[tuple[str, str], _Made]:
    """What request_ids of owners have made."""
    wanted: dict[str, list[str]] = {}
    for owner, request_id in requests:
        if request_id is not None:
            wanted.setdefault(owner, []).append(request_id)
    made: dict[tuple[str, str], _Made] = {}
    for owner, request_ids in wanted.items():
        for start in range(0, len(request_ids), CHUNK):
            query = select(JOBS.c.request_id, JOBS.c.job_id, JOBS.c.request_hash).where(
                JOBS.c.owner == owner, JOBS.c.request_id.in_(request_ids[start : start + CHUNK])
            )
            for row in connection.execute(query):
                earlier = _Made(job_id=row.job_id, request_hash=row.request_hash)
                made[owner, row.request_id] = earlier
    return made


def _submit_batch(
    connection: Connection, new: NewBatch, owner: str, now: datetime, room: WaitingRoom | None
) -> Batch:
    if new.request_id is not None:
        query = select(BATCHES.c.batch_id, BATCHES.c.request_hash).where(
            BATCHES.c.owner == owner, BATCHES.c.request_id == new.request_id
        )
        if made := connection.execute(query).one_or_none():
            if made.request_hash != new.request_hash:
                raise RequestIdReused(new.request_id, f"batch {made.batch_id}")
            return queries.get_batch(connection, made.batch_id, owner=owner)
    items, reused = _without_reused(connection, new.items, owner)
    if room is not None:
        room.take_all(connection, owner, len(items))
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
    ids = new_ids(now, len(items))  # in the order of the items
    rows = [
        _row(job_id, item, owner=owner, batch_id=batch_id, now=now)
        for job_id, item in zip(ids, items, strict=True)
    ]
    job_rows.insert_rows(connection, rows)
    job_rows.log_batch(connection, batch_id)
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
    if new.skip_cache:
        payload.append(["skip_cache", True])
    if new.kind is not JobKind.ANALYSIS:
        payload.append([new.kind, new.spec])
    elif new.spec is not None:
        payload.append(["spec", new.spec])
    return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()


def _request_hash(new: NewJob) -> str:
    return payload_hash(new) if new.request_id else ""


def _without_reused(
    connection: Connection, items: Sequence[tuple[int, NewJob]], owner: str
) -> tuple[list[NewJob], list[RefusedItem]]:
    requests = [(owner, item.request_id) for _, item in items]
    made = {
        request_id: f"made job {earlier.job_id}"
        for (_, request_id), earlier in _made_by(connection, requests).items()
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
    rows = [_row(job_id, new, owner=owner, batch_id=batch_id, now=now) for job_id, new in jobs]
    job_rows.insert_rows(connection, rows)
    job_rows.log_rows(connection, rows)


def _row(job_id: str, new: NewJob, *, owner: str, batch_id: str | None, now: datetime) -> JobRow:
    return JobRow(
        job_id=job_id,
        owner=owner,
        batch_id=batch_id,
        new=new,
        request_hash=_request_hash(new),
        create_time=now,
    )


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
        skip_cache=new.skip_cache,
        kind=new.kind,
        spec=new.spec,
        filename=new.filename,
    )
