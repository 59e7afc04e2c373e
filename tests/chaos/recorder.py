"""A client whose every call is noted, with its times and what came of it."""

from collections.abc import Awaitable, Iterable, Sequence
from random import Random
from typing import Any, TypeVar

from harken.client import AsyncClient, Job, JobOutcome
from harken.client.errors import HarkenError, RequestRefused
from tests.chaos.history import FAILED, Declined, Notes, Operation, Outcome, Retried, Seen
from tests.chaos.parts import now
from tests.chaos.work import Work

T = TypeVar("T")

TIMEOUT_S = 6.0  # for one call; then nobody knows what became of it
PAGE = 50


class Recorder:
    """Calls any of the servers, as behind a load balancer."""

    def __init__(self, clients: Sequence[AsyncClient], notes: Notes, chance: Random) -> None:
        self._clients = clients
        self._notes = notes
        self._chance = chance

    async def submit(self, work: Work, request_id: str) -> str | None:
        """Submits a file; gives the job's id where it is known."""
        call = self._client.submit(
            work.path,
            features=work.features,
            priority=work.priority,
            request_id=request_id,
            skip_cache=True,  # there has to be work for processes to die at
            timeout=TIMEOUT_S,
        )
        handle, known = await self._done(call)
        seen = () if handle is None else (seen_of(handle.job),)
        self._note("submit", known, request_id=request_id, payload=str(work), seen=seen)
        return None if handle is None else handle.job_id

    async def submit_batch(self, works: Sequence[Work], request_id: str) -> str | None:
        """Submits files; gives the batch's id where it is known."""
        call = self._client.submit_batch(
            [work.path for work in works],
            features=works[0].features,
            priority=works[0].priority,
            request_id=request_id,
            skip_cache=True,  # there has to be work for processes to die at
            timeout=TIMEOUT_S,
        )
        handle, known = await self._done(call)
        known |= {"request_id": request_id, "payload": "; ".join(map(str, works))}
        if handle is not None:
            known |= {"batch_id": handle.batch_id, "accepted": handle.batch.total}
        self._note("submit_batch", known)
        return None if handle is None else handle.batch_id

    async def redrive(
        self, job_ids: Sequence[str], request_id: str, *, forced: bool
    ) -> tuple[str, ...]:
        """Runs jobs once more, without any all that failed and may pass; gives the new ones' ids."""
        known_by: dict[str, Any] = {
            "request_id": request_id,
            "timeout": TIMEOUT_S,
            "force": forced,
        }
        client = self._client
        call = (
            client.retry_jobs(job_ids, **known_by) if job_ids else client.retry_matching(**known_by)
        )
        outcomes, known = await self._done(call)
        retried = tuple(
            Retried(job_id=each.job_id, new_job_id=each.new_job_id)
            for each in outcomes or ()
            if not each.reason and each.new_job_id is not None
        )
        known |= {"retried": retried, "declined": _declined(outcomes)}
        known |= {"forced": forced, "by_filter": not job_ids}
        self._note("redrive", known, request_id=request_id)
        return tuple(each.new_job_id for each in retried)

    async def dismiss(self, job_ids: Sequence[str]) -> None:
        """Takes jobs off the list of dead letters."""
        outcomes, known = await self._done(self._client.dismiss_jobs(job_ids, timeout=TIMEOUT_S))
        dismissed = tuple(each.job_id for each in outcomes or () if not each.reason)
        known |= {"dismissed": dismissed, "declined": _declined(outcomes)}
        self._note("dismiss", known, payload=" ".join(job_ids))

    def seen_failed(self) -> list[str]:
        """The jobs that answers have shown to have failed."""
        operations: tuple[Operation, ...] = self._notes.of(Operation)
        failed = (seen for done in operations for seen in done.seen if seen.state == FAILED)
        return list(dict.fromkeys(seen.job_id for seen in failed))

    async def cancel(self, job_id: str) -> None:
        """Cancels a job."""
        await self._about_one("cancel", job_id, self._client.cancel_job(job_id, timeout=TIMEOUT_S))

    async def cancel_batch(self, batch_id: str) -> None:
        """Cancels a batch."""
        _, known = await self._done(self._client.cancel_batch(batch_id, timeout=TIMEOUT_S))
        self._note("cancel_batch", known, target=batch_id)

    async def get(self, job_id: str) -> None:
        """Reads a job."""
        await self._about_one("get", job_id, self._client.get_job(job_id, timeout=TIMEOUT_S))

    async def list_newest(self) -> None:
        """Reads the newest jobs."""
        jobs, known = await self._done(self._page())
        self._note("list", known, seen=tuple(seen_of(job) for job in jobs or ()))

    async def _page(self) -> list[Job]:
        jobs: list[Job] = []
        async for job in self._client.list_jobs(page_size=PAGE, timeout=TIMEOUT_S):
            jobs.append(job)
            if len(jobs) == PAGE:
                break
        return jobs

    async def _about_one(self, kind: str, job_id: str, call: Awaitable[Job]) -> None:
        job, known = await self._done(call)
        self._note(kind, known, target=job_id, seen=_seen([] if job is None else [job]))

    @property
    def _client(self) -> AsyncClient:
        return self._chance.choice(self._clients)

    async def _done(self, call: Awaitable[T]) -> tuple[T | None, dict[str, Any]]:
        known: dict[str, Any] = {"invoked": now()}
        try:
            value = await call
        except HarkenError as error:
            refused = isinstance(error, RequestRefused)
            known["outcome"] = Outcome.REFUSED if refused else Outcome.UNKNOWN
            known["error"] = f"{type(error).__name__} {error.reason} {error.message}"[:300]
            value = None
        else:
            known["outcome"] = Outcome.OK
        known["returned"] = now()
        return value, known

    def _note(self, kind: str, known: dict[str, Any], **more: Any) -> None:
        self._notes.add(Operation(kind=kind, **known, **more))


def seen_of(job: Job) -> Seen:
    """A job as an answer shows it."""
    return Seen(
        job_id=job.job_id,
        state=job.state.value,
        revision=job.revision,
        attempt=job.attempt,
        stopped=job.stopped_time is not None,
    )


def _declined(outcomes: Iterable[JobOutcome] | None) -> tuple[Declined, ...]:
    return tuple(
        Declined(job_id=each.job_id, reason=each.reason) for each in outcomes or () if each.reason
    )


def _seen(jobs: Iterable[Job]) -> tuple[Seen, ...]:
    return tuple(seen_of(job) for job in jobs)
