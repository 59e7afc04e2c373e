"""Results that are known to hold for a job without running it: of the same content, features and engine, and owner."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, literal, select

from harken.jobs import queries
from harken.jobs.change import Change, change
from harken.jobs.execution import holds, waiting_again
from harken.jobs.files import artifacts
from harken.jobs.job import Job
from harken.jobs.similarity import embeddings
from harken.jobs.state import JobState
from harken.jobs.store.schema import JOBS, RESULTS

# Statements are made once: to make one costs more than to run it.
_FIND = (
    select(JOBS.c.job_id)
    .join(RESULTS, RESULTS.c.job_id == JOBS.c.job_id)
    .where(JOBS.c.owner == bindparam("owner"), JOBS.c.content_key == bindparam("content_key"))
    .limit(1)
)
# A retention that is about to delete the job waits, or is waited for.
_STAY = (
    select(JOBS.c.job_id, func.coalesce(JOBS.c.cached_from, JOBS.c.job_id).label("found_by"))
    .join(RESULTS, RESULTS.c.job_id == JOBS.c.job_id)
    .where(JOBS.c.job_id == bindparam("known_id"))
    .with_for_update(read=True, key_share=True, of=JOBS)
)


def content_key(
    content: str,
    features: Sequence[str],
    engine: str,
    options: Mapping[str, Any] | None = None,
) -> str:
    """What a result depends on, digested: the content by its identity, the features and their options, the engine."""
    depends: list[Any] = [content, *features, engine]
    if options is not None:
        depends.append(options)
    return hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()


def find(connection: Connection, key: str, *, owner: str) -> str | None:
    """A job of the owner's whose result holds for the key; None when there is none."""
    parameters = {"owner": owner, "content_key": key}
    return connection.execute(_FIND, parameters).scalar_one_or_none()


def succeed_as(
    connection: Connection, job_id: str, attempt: int, known_id: str, key: str, now: datetime
) -> JobState | None:
    """Ends the job with the result of another one; None when the attempt no longer holds it.

    Where that result was deleted meanwhile the job is put back, to be run after all.
    """
    known = connection.execute(_STAY, {"known_id": known_id}).one_or_none()

    ended: list[Job] = []

    def decide(job: Job) -> Change | None:
        if not holds(job, attempt):
            return None
        ended.append(job)
        if known is None:
            return waiting_again(job, now)
        values: dict[str, Any] = {"content_key": key, "cached_from": known.found_by}
        return Change(to=JobState.SUCCEEDED, values=values)

    written = change(connection, job_id, now, decide)
    if written is JobState.SUCCEEDED:
        this = literal(job_id, type_=RESULTS.c.job_id.type)
        result = select(this, RESULTS.c.result).where(RESULTS.c.job_id == known_id)
        connection.execute(insert(RESULTS).from_select(["job_id", "result"], result))
        # As it would be of a job that was run: what was asked for is found, with its own labels.
        (job,) = ended
        copied = queries.get_result(connection, job_id) or {}
        embeddings.keep(connection, job_id, owner=job.owner, spec=job.spec, result=copied, now=now)
        artifacts.share(connection, known_id, job_id, now)
    return written
