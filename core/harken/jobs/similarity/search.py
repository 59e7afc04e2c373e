"""The search of a database's kind, and what of its finds is shown: each sound once, with its job."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from harken.jobs import queries
from harken.jobs.errors import NoEmbedding
from harken.jobs.job import Job
from harken.jobs.similarity.embeddings import digest_of
from harken.jobs.similarity.exact import ExactSearch
from harken.jobs.similarity.postgresql import PostgresqlSearch
from harken.jobs.similarity.sound_class import SoundClass
from harken.jobs.similarity.wanted import Neighbour, Search, Wanted, as_unit
from harken.jobs.store.rows import JOB_COLUMNS, job_of
from harken.jobs.store.schema import EMBEDDINGS, JOBS

MOST_FOUND = 1_000  # neighbours of one search, over all its pages
SPARE = 8  # asked for beyond what is wanted, as the same sound may be found under several jobs


@dataclass(frozen=True, kw_only=True)
class Sound:
    """A job with what is known of its sound."""

    job: Job
    tempo_bpm: float | None
    tonic: str | None
    mode: str | None
    duration_s: float | None
    sound_class: SoundClass | None


@dataclass(frozen=True, kw_only=True)
class Found:
    """A sound that is like another one."""

    sound: Sound
    similarity: float


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a page begins: after so many, of which this one was the last."""

    number: int
    similarity: float
    job_id: str


@dataclass(frozen=True, kw_only=True)
class Vector:
    """A vector to search by."""

    model: str
    values: tuple[float, ...]
    digest: int  # of what was kept, which is of unit length within its precision


def search_of(dialect: str) -> Search:
    """The search for a database of this kind."""
    return PostgresqlSearch() if dialect == "postgresql" else ExactSearch()


def vector_of(connection: Connection, job: Job) -> Vector:
    """The vector in a job's result. Raises NoEmbedding."""
    result = queries.get_result(connection, job.job_id)
    if result is None:
        why = "it has no result." if job.state.terminal else "it has not ended yet. Wait for it."
        raise NoEmbedding(job.job_id, why)
    embedding = result.get("embedding")
    if embedding is None:
        raise NoEmbedding(
            job.job_id, "it was not asked for. Submit the file with the feature embedding."
        )
    if not embedding.get("vector"):
        raise NoEmbedding(job.job_id, "it is silent, and silence is like nothing.")
    vector = embedding["vector"]
    return Vector(model=embedding["model"], values=as_unit(vector), digest=digest_of(vector))


def find(
    connection: Connection,
    search: Search,
    wanted: Wanted,
    *,
    size: int,
    after: Place | None = None,
    but: str | None = None,
    without: int | None = None,
) -> tuple[list[Found], Place | None]:
    """A page of the sounds nearest to a vector, the likest first, each once; and where the next page begins.

    Of several jobs about the same samples the newest is shown. Left out are the job `but`, and those about the samples
    whose digest is `without`.
    """
    seen = after.number if after else 0
    wanted_number = seen + size + 1
    limit = min(wanted_number + SPARE, MOST_FOUND)
    while True:
        nearest = search.nearest(connection, wanted, limit)
        shown = _each_once(nearest, but=but, without=without)
        enough = len(shown) >= wanted_number or len(nearest) < limit or limit >= MOST_FOUND
        if enough:
            break
        limit = min(2 * limit, MOST_FOUND)
    if after is not None:
        last = (after.similarity, after.job_id)
        shown = [one for one in shown if one.order < last]
    page = shown[:size]
    more = len(shown) > size and seen + size < MOST_FOUND
    sounds = sounds_of(connection, [one.job_id for one in page], owner=wanted.owner)
    found = [
        Found(sound=sounds[one.job_id], similarity=one.similarity)
        for one in page
        if one.job_id in sounds
    ]
    last_one = page[-1] if page else None
    place = (
        Place(number=seen + len(page), similarity=last_one.similarity, job_id=last_one.job_id)
        if more and last_one
        else None
    )
    return found, place


def sounds_of(connection: Connection, job_ids: Sequence[str], *, owner: str) -> dict[str, Sound]:
    """Jobs with what is known of their sounds; what the owner has not is left out."""
    query = (
        select(
            *JOB_COLUMNS,
            EMBEDDINGS.c.tempo_bpm,
            EMBEDDINGS.c.tonic,
            EMBEDDINGS.c.mode,
            EMBEDDINGS.c.duration_s,
            EMBEDDINGS.c.sound_class,
        )
        .join(EMBEDDINGS, EMBEDDINGS.c.job_id == JOBS.c.job_id)
        .where(JOBS.c.job_id.in_(job_ids), JOBS.c.owner == owner)
    )
    return {row.job_id: _sound(row) for row in connection.execute(query)}


def _sound(row: Any) -> Sound:
    return Sound(
        job=job_of(row),
        tempo_bpm=row.tempo_bpm,
        tonic=row.tonic,
        mode=row.mode,
        duration_s=row.duration_s,
        sound_class=SoundClass(row.sound_class) if row.sound_class else None,
    )


def _each_once(
    nearest: Sequence[Neighbour], *, but: str | None, without: int | None
) -> list[Neighbour]:
    shown: dict[int, Neighbour] = {}
    for one in nearest:
        if one.job_id != but and one.digest != without:
            shown.setdefault(one.digest, one)
    return list(shown.values())
