"""Running jobs that have ended once more, as new jobs; and dismissing those with which nothing is to be done."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, insert, select

from harken.jobs import audit, queries
from harken.jobs.action import Action, Asked, Outcome, Refusal
from harken.jobs.ids import new_ids
from harken.jobs.job import Job, JobKind, NewJob
from harken.jobs.queries import JobFilter
from harken.jobs.queueing.waiting_room import WaitingRoom
from harken.jobs.request_ids import raced
from harken.jobs.state import JobState
from harken.jobs.store.rows import JOB_COLUMNS, job_of
from harken.jobs.store.schema import DISMISSALS, JOBS
from harken.jobs.submission import insert_jobs


@dataclass(frozen=True, kw_only=True)
class ByIds:
    """Jobs by their ids, each once."""

    job_ids: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ByFilter:
    """A page of the jobs that a filter finds, the oldest first: at most `limit`, those after `after_id`.

    Only jobs below `before_id`, so that a filter does not find again what its earlier pages have made.
    """

    where: JobFilter
    limit: int
    before_id: str
    after_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """The outcomes, the jobs to be made with their ids, and the last job of a page that others follow."""

    outcomes: tuple[Outcome, ...]
    jobs: tuple[tuple[str, NewJob], ...]
    page_end: str | None


def retry_jobs(
    connection: Connection,
    wanted: ByIds | ByFilter,
    asked: Asked,
    *,
    force: bool,
    now: datetime,
    room: WaitingRoom | None = None,
    denied: Collection[JobKind] = (),
    trace_parent: str | None = None,
) -> Action:
    """Makes new jobs of old ones, or finds what the request_id did before. Raises RequestIdReused and QuotaExceeded.

    Jobs of the kinds that are `denied` to the caller are refused. `trace_parent` is the trace of the call.
    """

    def retry() -> Action:
        if before := audit.done_before(connection, asked):
            return before
        plan = _plan(
            connection, wanted, asked.owner, force=force, now=now, denied=denied, lock=True
        )
        if room is not None:
            room.take_all(connection, asked.owner, len(plan.jobs))
        traced = [(job_id, replace(new, trace_parent=trace_parent)) for job_id, new in plan.jobs]
        insert_jobs(connection, traced, owner=asked.owner, batch_id=None, now=now)
        return audit.record(connection, asked, plan.outcomes, now=now, page_end=plan.page_end)

    return raced(connection, retry)


def preview_retry(
    connection: Connection,
    wanted: ByIds | ByFilter,
    *,
    owner: str,
    force: bool,
    now: datetime,
    denied: Collection[JobKind] = (),
) -> tuple[tuple[Outcome, ...], str | None]:
    """What `retry_jobs` would do: the outcomes, without new ids, and where the page would end."""
    plan = _plan(connection, wanted, owner, force=force, now=now, denied=denied, lock=False)
    outcomes = tuple(
        outcome if outcome.refusal else Outcome(job_id=outcome.job_id) for outcome in plan.outcomes
    )
    return outcomes, plan.page_end


def dismiss_jobs(connection: Connection, wanted: ByIds, asked: Asked, *, now: datetime) -> Action:
    """Takes failed jobs off the list of dead letters."""
    found, _ = _find(connection, wanted, asked.owner, force=True, lock=True)
    query = select(DISMISSALS.c.job_id).where(DISMISSALS.c.job_id.in_(list(found)))
    dismissed = set(connection.execute(query).scalars())
    outcomes = [
        Outcome(job_id=job_id, refusal=dismiss_refusal(found.get(job_id), job_id in dismissed))
        for job_id in wanted.job_ids
    ]
    rows = [{"job_id": each.job_id, "time": now} for each in outcomes if each.refusal is None]
    if rows:
        connection.execute(insert(DISMISSALS), rows)
    return audit.record(connection, asked, outcomes, now=now)


def retry_refusal(
    job: Job | None, newer_id: str | None, *, force: bool, denied: Collection[JobKind] = ()
) -> Refusal | None:
    """Why a job is not retried, of which `newer_id` is the newest retry; None when it is."""
    if job is None:
        return Refusal.JOB_NOT_FOUND
    if job.kind in denied:
        return Refusal.SCOPE_MISSING
    if not job.state.terminal:
        return Refusal.NOT_TERMINAL
    return Refusal.ALREADY_RETRIED if newer_id is not None and not force else None


def dismiss_refusal(job: Job | None, dismissed: bool) -> Refusal | None:
    """Why a job is not dismissed; None when it is."""
    if job is None:
        return Refusal.JOB_NOT_FOUND
    if job.state is not JobState.FAILED:
        return Refusal.NOT_FAILED
    return Refusal.ALREADY_DISMISSED if dismissed else None


def again(job: Job) -> NewJob:
    """What is known of a job that runs another one once more."""
    return NewJob(
        source=job.source,
        features=job.features,
        queue=job.queue,
        priority=job.priority,
        labels=job.labels,
        schedule_timeout=job.schedule_timeout,
        run_timeout=job.run_timeout,
        retry_of=job.job_id,
        kind=job.kind,
        spec=job.spec,
        filename=job.filename,
        skip_cache=True,  # who asks for it once more does not want what is known
    )


def _plan(
    connection: Connection,
    wanted: ByIds | ByFilter,
    owner: str,
    *,
    force: bool,
    now: datetime,
    denied: Collection[JobKind],
    lock: bool,
) -> _Plan:
    found, page_end = _find(connection, wanted, owner, force=force, lock=lock)
    # Read once the jobs are locked: a retry that came in between is seen.
    newer = _newest_retries(connection, list(found))
    refusals = {
        job_id: retry_refusal(found.get(job_id), newer.get(job_id), force=force, denied=denied)
        for job_id in (wanted.job_ids if isinstance(wanted, ByIds) else found)
    }
    accepted = [job_id for job_id, refusal in refusals.items() if refusal is None]
    fresh = dict(zip(accepted, new_ids(now, len(accepted)), strict=True))  # in the order of the old
    return _Plan(
        outcomes=tuple(
            Outcome(
                job_id=job_id,
                new_job_id=fresh.get(job_id) or (newer.get(job_id) if refusal else None),
                refusal=refusal,
            )
            for job_id, refusal in refusals.items()
        ),
        jobs=tuple((fresh[job_id], again(found[job_id])) for job_id in accepted),
        page_end=page_end,
    )


def _find(
    connection: Connection, wanted: ByIds | ByFilter, owner: str, *, force: bool, lock: bool
) -> tuple[dict[str, Job], str | None]:
    """The jobs by their ids, the oldest first, and the last one when there are more."""
    # In the order of their ids, so that two such transactions cannot wait for each other.
    query = select(*JOB_COLUMNS).where(JOBS.c.owner == owner).order_by(JOBS.c.job_id)
    if lock:
        query = query.with_for_update(of=JOBS)
    if isinstance(wanted, ByIds):
        return _jobs(connection, query.where(JOBS.c.job_id.in_(wanted.job_ids))), None
    query = query.where(
        *queries.conditions(connection, wanted.where), JOBS.c.job_id < wanted.before_id
    )
    if not force:
        query = query.where(*queries.not_dealt_with())
    if wanted.after_id is not None:
        query = query.where(JOBS.c.job_id > wanted.after_id)
    found = _jobs(connection, query.limit(wanted.limit + 1))
    page = dict(list(found.items())[: wanted.limit])
    return page, list(page)[-1] if len(found) > len(page) else None


def _jobs(connection: Connection, query: Select[Any]) -> dict[str, Job]:
    return {row.job_id: job_of(row) for row in connection.execute(query)}


def _newest_retries(connection: Connection, job_ids: Sequence[str]) -> dict[str, str]:
    query = (
        select(JOBS.c.retry_of, JOBS.c.job_id)
        .where(JOBS.c.retry_of.in_(job_ids))
        .order_by(JOBS.c.job_id)
    )
    return {row.retry_of: row.job_id for row in connection.execute(query)}
