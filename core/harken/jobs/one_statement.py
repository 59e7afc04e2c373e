"""Claim and success, the changes that nearly every job goes through, each as one statement with its row of the log.

For PostgreSQL, where a trip to the database takes longer than what is done there. What the statements do is what
`harken.jobs.execution` does in a transaction; each is a transaction by itself (`Database.statement`).
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CTE,
    Connection,
    Insert,
    Select,
    Update,
    bindparam,
    false,
    func,
    insert,
    literal,
    not_,
    select,
    update,
)

from harken.jobs import log
from harken.jobs.failpoint import Point, failpoint
from harken.jobs.similarity.embeddings import QUERY, embedding_row
from harken.jobs.state import JobState
from harken.jobs.store.rows import error_columns
from harken.jobs.store.schema import EMBEDDINGS, HELD_BY_WORKERS, JOBS, RESULTS, TRANSITIONS

_NOW = bindparam("now", type_=TRANSITIONS.c.time.type)


def claiming(claim: Update) -> Select[Any]:
    """The claim, and its row of the log; it returns what `claim` returns."""
    claimed = claim.cte("claimed")
    before = literal(JobState.QUEUED.value, type_=TRANSITIONS.c.before.type)
    return select(claimed).add_cte(log.appending(claimed, _log_row(claimed, before)))


def succeed(
    connection: Connection,
    job_id: str,
    attempt: int,
    result: dict[str, Any] | None,
    now: datetime,
    *,
    content_key: str | None,
) -> JobState | None:
    """As `execution.succeed`."""
    parameters: dict[str, Any] = {
        "ended_id": job_id,
        "by_attempt": attempt,
        "now": now,
        "known_as": content_key,
    }
    if result is None:
        ended = connection.execute(_SUCCESS, parameters)
    else:
        failpoint(Point.RESULT)
        parameters["found"] = result
        sound = embedding_row(job_id, "", result, now)  # whose it is, the job says
        if sound is None:
            ended = connection.execute(_SUCCESS_WITH_RESULT, parameters)
        else:
            parameters |= {f"sound_{name}": sound[name] for name in _OF_SOUND}
            ended = connection.execute(_SUCCESS_WITH_SOUND, parameters)
    return None if ended.one_or_none() is None else JobState.SUCCEEDED


def _log_row(changed: CTE, before: Any) -> Any:
    return select(
        changed.c.job_id,
        changed.c.batch_id,
        changed.c.revision,
        changed.c.attempt,
        before.label("before"),
        changed.c.state.label("after"),
        changed.c.worker,
        _NOW.label("time"),
    )


def _success(*, keeps_result: bool = False, keeps_sound: bool = False) -> Select[Any]:
    held = (
        select(JOBS.c.job_id, JOBS.c.state)
        .where(
            JOBS.c.job_id == bindparam("ended_id"),
            JOBS.c.attempt == bindparam("by_attempt"),
            HELD_BY_WORKERS,
        )
        .with_for_update()
        .cte("held")
    )
    ended = (
        update(JOBS)
        .where(JOBS.c.job_id == held.c.job_id)
        .values(
            state=JobState.SUCCEEDED.value,
            revision=JOBS.c.revision + 1,
            end_time=_NOW,
            lease_expires_at=None,
            not_before=None,
            content_key=func.coalesce(
                bindparam("known_as", type_=JOBS.c.content_key.type), JOBS.c.content_key
            ),
            **error_columns(None),
        )
        .returning(
            *(JOBS.c.job_id, JOBS.c.batch_id, JOBS.c.revision, JOBS.c.attempt),
            *(JOBS.c.state, JOBS.c.worker, held.c.state.label("before")),
            *((JOBS.c.owner, JOBS.c.spec) if keeps_sound else ()),
        )
        .cte("ended")
    )
    parts = [log.appending(ended, _log_row(ended, ended.c.before))]
    if keeps_result:
        value = bindparam("found", type_=RESULTS.c.result.type)
        kept = insert(RESULTS).from_select(["job_id", "result"], select(ended.c.job_id, value))
        parts.append(kept.cte("kept"))
    if keeps_sound:
        parts.append(_keeping_sound(ended).cte("heard"))
    return select(ended.c.job_id).add_cte(*parts)


def _keeping_sound(ended: CTE) -> Insert:
    """Keeps the vector, unless the job was made for a search alone: as `embeddings.keep`."""
    values = (
        bindparam(f"sound_{name}", type_=EMBEDDINGS.c[name].type).label(name) for name in _OF_SOUND
    )
    searched = func.coalesce(ended.c.spec[QUERY].as_boolean(), false())
    row = select(ended.c.job_id, ended.c.owner, *values).where(not_(searched))
    return insert(EMBEDDINGS).from_select(["job_id", "owner", *_OF_SOUND], row)


_OF_SOUND = tuple(
    column.name
    for column in EMBEDDINGS.columns
    if column.name not in {"position", "job_id", "owner"}
)

# Made once: to make a statement costs more than to run it.
_SUCCESS = _success()
_SUCCESS_WITH_RESULT = _success(keeps_result=True)
_SUCCESS_WITH_SOUND = _success(keeps_result=True, keeps_sound=True)
