"""Bringing all sounds to one model: earlier results are brought in, and what another model made is analysed again.

Each step is a transaction that can be done again after a crash: what was brought in is not brought in twice, and a job
is made once for each sound and model, by its request_id.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, LargeBinary, delete, exists, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from harken.jobs import submission
from harken.jobs.errors import JobsError
from harken.jobs.files import upload_sources
from harken.jobs.job import Job, JobKind, NewJob, Source
from harken.jobs.similarity.embeddings import QUERY, embedding_row
from harken.jobs.similarity.fingerprint import VERSION
from harken.jobs.state import JobState
from harken.jobs.store.schema import EMBEDDINGS, JOBS, RESULTS
from harken.jobs.store.transaction import savepoint

CHUNK: Final = 200  # results that one transaction brings in
LEAST_URGENT: Final = 0
# What a search shows and filters by comes from these.
FEATURES: Final = ("media", "rhythm", "tonal", "embedding")

_NAMESPACE: Final = uuid.UUID("8a2f0c1e-6d0b-5b1a-9a53-0f6d2f0f7a10")


@dataclass(frozen=True, kw_only=True)
class Stale:
    """A sound whose vector another model made, or which has no fingerprint of today's version."""

    position: int
    job_id: str
    owner: str
    source: Source
    features: tuple[str, ...]
    labels: dict[str, str]
    request_id: str


@dataclass(frozen=True, kw_only=True)
class Page:
    """How many results were looked at and brought in, and the last of them; None at the end."""

    looked_at: int
    brought_in: int
    job_id: str | None


def bring_in(connection: Connection, after: str | None) -> Page:
    """Keeps the vectors of the next results that have one which is not kept yet, in the order of their jobs."""
    query = (
        select(JOBS.c.job_id, JOBS.c.owner, JOBS.c.spec, JOBS.c.end_time, RESULTS.c.result)
        .join(RESULTS, RESULTS.c.job_id == JOBS.c.job_id)
        .where(
            JOBS.c.kind == JobKind.ANALYSIS.value,
            JOBS.c.state == JobState.SUCCEEDED.value,
            ~exists().where(EMBEDDINGS.c.job_id == JOBS.c.job_id),
        )
        .order_by(JOBS.c.job_id)
        .limit(CHUNK)
        # A retention that is about to delete the jobs waits, or is waited for.
        .with_for_update(read=True, key_share=True, of=JOBS)
    )
    if after is not None:
        query = query.where(JOBS.c.job_id > after)
    rows = connection.execute(query).all()
    made = [
        embedding_row(row.job_id, row.owner, row.result, row.end_time)
        for row in rows
        if not (row.spec or {}).get(QUERY)
    ]
    brought_in = sum(_keep_once(connection, row) for row in made if row is not None)
    last = rows[-1].job_id if len(rows) == CHUNK else None
    return Page(looked_at=len(rows), brought_in=brought_in, job_id=last)


def count_stale(connection: Connection, model: str) -> int:
    """How many sounds are to be analysed again."""
    query = select(func.count()).select_from(EMBEDDINGS).where(_is_stale(model))
    return connection.execute(query).scalar_one()


def stale(connection: Connection, model: str, after: int, limit: int) -> list[Stale]:
    """The next sounds that are to be analysed again."""
    query = (
        select(
            EMBEDDINGS.c.position,
            JOBS.c.job_id,
            JOBS.c.owner,
            JOBS.c.source_kind,
            JOBS.c.source,
            JOBS.c.features,
            JOBS.c.labels,
        )
        .join(JOBS, JOBS.c.job_id == EMBEDDINGS.c.job_id)
        .where(_is_stale(model), EMBEDDINGS.c.position > after)
        .order_by(EMBEDDINGS.c.position)
        .limit(limit)
    )
    return [
        Stale(
            position=row.position,
            job_id=row.job_id,
            owner=row.owner,
            source=Source(kind=row.source_kind, value=row.source),
            features=tuple(name for name in FEATURES if name in row.features),
            labels=row.labels,
            request_id=str(uuid.uuid5(_NAMESPACE, f"{row.job_id} {model} {VERSION}")),
        )
        for row in connection.execute(query)
    ]


def submit_again(
    connection: Connection,
    sound: Stale,
    *,
    queue_for: Callable[[Sequence[str]], str],
    now: datetime,
    uploads_kept_for: timedelta,
) -> str | None:
    """The job that analyses a sound again, made now or before; None where its upload is gone."""
    new = NewJob(
        source=sound.source,
        features=sound.features,
        queue=queue_for(sound.features),
        priority=LEAST_URGENT,
        labels=sound.labels,
        request_id=sound.request_id,
        skip_cache=True,
    )
    try:
        with savepoint(connection):
            job = _submit(connection, new, sound.owner, now, uploads_kept_for)
    except JobsError:
        return None
    return job.job_id


def _submit(
    connection: Connection, new: NewJob, owner: str, now: datetime, kept_for: timedelta
) -> Job:
    if new.source.kind == upload_sources.UPLOAD:
        return upload_sources.submit_job(connection, new, owner=owner, now=now, kept_for=kept_for)
    return submission.submit_job(connection, new, owner=owner, now=now)


def settle(connection: Connection, again: dict[str, str]) -> tuple[dict[str, str], int, int]:
    """Of jobs that analyse others' sounds again: those still at work, how many succeeded, how many did not.

    `again` has for each of them the job whose sound it is. Where it succeeded, that job's vector is taken out of what
    is searched: the new job stands for its sound.
    """
    query = select(JOBS.c.job_id, JOBS.c.state).where(JOBS.c.job_id.in_(again))
    states = {row.job_id: JobState(row.state) for row in connection.execute(query)}
    open_, done, failed = dict[str, str](), list[str](), 0
    for job_id, old in again.items():
        state = states.get(job_id)
        if state is JobState.SUCCEEDED:
            done.append(old)
        elif state is None or state.terminal:
            failed += 1
        else:
            open_[job_id] = old
    connection.execute(delete(EMBEDDINGS).where(EMBEDDINGS.c.job_id.in_(done)))
    return open_, len(done), failed


def _is_stale(model: str) -> Any:
    version = func.substr(EMBEDDINGS.c.fingerprint, 1, 1, type_=LargeBinary)
    return or_(
        EMBEDDINGS.c.model != model,
        EMBEDDINGS.c.fingerprint.is_(None),
        version != bytes([VERSION]),
    )


def _keep_once(connection: Connection, row: dict[str, Any]) -> int:
    """Keeps a vector, unless somebody else does at the same time; how many were kept."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    kept = insert(EMBEDDINGS).values(row).on_conflict_do_nothing(index_elements=["job_id"])
    return len(connection.execute(kept.returning(EMBEDDINGS.c.job_id)).all())
