"""What jobs made besides their results, such as files of exports. An artifact goes with its job."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, insert, select

from harken.jobs.change import lock
from harken.jobs.errors import ArtifactDenied, ArtifactNotFound, JobNotFound
from harken.jobs.files import blobs
from harken.jobs.files.blobs import Bytes, StoredBytes
from harken.jobs.ids import new_id, new_ids
from harken.jobs.job import JobKind
from harken.jobs.state import HELD
from harken.jobs.store.schema import ARTIFACTS, BLOBS, JOBS


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A file that a job made; `sha256` in hexadecimal digits, `size` in bytes."""

    artifact_id: str
    owner: str
    job_id: str
    name: str
    media_type: str
    sha256: str
    size: int
    create_time: datetime


def keep(
    connection: Connection,
    job_id: str,
    attempt: int,
    content: Bytes,
    *,
    name: str,
    media_type: str,
    now: datetime,
) -> Artifact | None:
    """Keeps bytes that the storage has as an artifact of the job; None when the attempt no longer holds the job.

    For the transaction of the write that ends the attempt, and before that write: then both are there, or neither.
    """
    job = lock(connection, job_id)
    if job is None or job.attempt != attempt or job.state not in HELD:
        return None
    blobs.keep(connection, content, owner=job.owner, now=now)
    artifact = Artifact(
        artifact_id=new_id(now),
        owner=job.owner,
        job_id=job_id,
        name=name,
        media_type=media_type,
        sha256=content.sha256,
        size=content.size,
        create_time=now,
    )
    connection.execute(
        insert(ARTIFACTS),
        {column.name: getattr(artifact, column.name) for column in ARTIFACTS.columns},
    )
    return artifact


def share(connection: Connection, from_id: str, to_id: str, now: datetime) -> None:
    """Gives a job the artifacts of another one of the same owner, whose deletion has to be kept off meanwhile."""
    found = connection.execute(
        select(ARTIFACTS).where(ARTIFACTS.c.job_id == from_id).order_by(ARTIFACTS.c.artifact_id)
    ).mappings()
    rows = [dict(row) for row in found]
    if rows:
        # In the same order again, which is that of their ids.
        own = {"job_id": to_id, "create_time": now}
        copies = [
            {**row, **own, "artifact_id": new}
            for new, row in zip(new_ids(now, len(rows)), rows, strict=True)
        ]
        connection.execute(insert(ARTIFACTS), copies)


def get_artifact(
    connection: Connection,
    artifact_id: str,
    *,
    owner: str,
    denied: Collection[JobKind] = (),
) -> tuple[Artifact, StoredBytes]:
    """The artifact and its bytes.

    Raises ArtifactNotFound, and ArtifactDenied where a job of a kind that is `denied` to the caller has made it.
    """
    query = (
        select(*ARTIFACTS.columns, BLOBS.c.key, JOBS.c.kind)
        .join(JOBS, JOBS.c.job_id == ARTIFACTS.c.job_id)
        .join(BLOBS, (BLOBS.c.owner == ARTIFACTS.c.owner) & (BLOBS.c.sha256 == ARTIFACTS.c.sha256))
        .where(ARTIFACTS.c.artifact_id == artifact_id, ARTIFACTS.c.owner == owner)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise ArtifactNotFound(artifact_id)
    if row.kind in denied:
        raise ArtifactDenied(artifact_id)
    return artifact_of(row), StoredBytes(key=row.key, sha256=row.sha256, size=row.size)


def of_job(
    connection: Connection,
    job_id: str,
    *,
    owner: str,
    limit: int | None = None,
    after_id: str | None = None,
) -> tuple[Artifact, ...]:
    """The artifacts of a job, or `limit` of them after another one, the oldest first."""
    query = select(ARTIFACTS).where(ARTIFACTS.c.job_id == job_id, ARTIFACTS.c.owner == owner)
    if after_id is not None:
        query = query.where(ARTIFACTS.c.artifact_id > after_id)
    found = connection.execute(query.order_by(ARTIFACTS.c.artifact_id).limit(limit))
    return tuple(artifact_of(row) for row in found)


def list_artifacts(
    connection: Connection, job_id: str, *, owner: str, limit: int, after_id: str | None = None
) -> tuple[Artifact, ...]:
    """At most `limit` artifacts of a job after another one, the oldest first. Raises JobNotFound."""
    known = select(JOBS.c.job_id).where(JOBS.c.job_id == job_id, JOBS.c.owner == owner)
    if connection.execute(known).one_or_none() is None:
        raise JobNotFound(job_id)
    return of_job(connection, job_id, owner=owner, limit=limit, after_id=after_id)


def artifact_of(row: Row[tuple[object, ...]]) -> Artifact:
    """The artifact of a row."""
    return Artifact(
        artifact_id=row.artifact_id,
        owner=row.owner,
        job_id=row.job_id,
        name=row.name,
        media_type=row.media_type,
        sha256=row.sha256,
        size=row.size,
        create_time=row.create_time,
    )
