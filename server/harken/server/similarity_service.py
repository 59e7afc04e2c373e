"""SimilarityService: what sounds like this, and what is the same recording."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from harken.jobs import queries
from harken.jobs.job import Job, NewJob
from harken.jobs.owners.scope import Scope
from harken.jobs.similarity.duplicates import Duplicates, Looked
from harken.jobs.similarity.embeddings import QUERY
from harken.jobs.similarity.search import Place, Vector, find, search_of, sounds_of, vector_of
from harken.jobs.similarity.wanted import SoundFilter, Wanted
from harken.jobs.state import JobState
from harken.server import sounds, tokens, validate
from harken.server.caller import current_caller
from harken.server.errors import (
    InvalidRequest,
    InvalidToken,
    QueryFailed,
    QueryNotReady,
    ScopeMissing,
    ServerStopping,
    Violation,
)
from harken.server.interceptors.around import Context
from harken.server.progress.hub import Hub
from harken.server.store import Store
from harken.telemetry import logs
from harken.v1 import similarity_service_pb2 as messages
from harken.v1.similarity_service_pb2_grpc import SimilarityServiceServicer

LONGEST_WAIT_S = 60.0  # for a source to be analysed, where the caller sets no deadline
# Of what the caller allows for: kept for the search and the way back.
RESERVE_SHARE = 0.1
MOST_RESERVE_S = 0.5
LONGEST_LOOK_S = 5.0  # of one call for duplicates; the next page goes on where it ended

_METHOD = "/harken.v1.SimilarityService/FindSimilar with a source"

# Accepts a job as SubmitAnalysis does, with what is checked there.
Accept = Callable[[NewJob], Awaitable[Job]]


@dataclass(frozen=True, kw_only=True)
class _Query:
    """What is searched by: a vector, of a job or of none, which is left out of what is found."""

    vector: Vector
    job_id: str | None = None
    without: int | None = None


class SimilarityService(SimilarityServiceServicer):
    """The servicer of SimilarityService."""

    def __init__(self, store: Store, hub: Hub, accept: Accept) -> None:
        self._store = store
        self._hub = hub
        self._accept = accept
        self._search = search_of(store.dialect)

    async def FindSimilar(
        self, request: messages.FindSimilarRequest, context: Context
    ) -> messages.FindSimilarResponse:
        """A page of the sounds nearest to one."""
        owner = current_caller().owner
        where = sounds.sound_filter(request.filter)
        size = sounds.page_size(request.page_size, sounds.DEFAULT_SOUNDS, sounds.MOST_SOUNDS)
        if request.page_token and request.WhichOneof("query") == "source":
            description = "Go on with the job_id of the answer in place of the source."
            raise InvalidRequest([Violation("source", "PAGE_OF_SOURCE", description)])
        bound_to = sounds.bound_to(owner, request)
        after = _place(request.page_token, bound_to)
        query = await self._query(request, owner, context)
        wanted = Wanted(
            owner=owner, model=query.vector.model, vector=query.vector.values, where=where
        )
        found, place = await self._store.read(
            lambda c: find(
                c,
                self._search,
                wanted,
                size=size,
                after=after,
                but=query.job_id,
                without=query.without,
            )
        )
        response = messages.FindSimilarResponse(
            sounds=map(sounds.found_message, found), model=wanted.model, job_id=query.job_id
        )
        if place is not None:
            if request.WhichOneof("query") == "source":  # gone on with by the job
                request.job_id = query.job_id or ""
                bound_to = sounds.bound_to(owner, request)
            value = [place.number, place.similarity, place.job_id]
            response.next_page_token = tokens.encode(value, bound_to)
        return response

    async def FindDuplicates(
        self, request: messages.FindDuplicatesRequest, context: Context
    ) -> messages.FindDuplicatesResponse:
        """A page of groups of sounds that are the same recording."""
        owner = current_caller().owner
        violations = list(validate.label_violations("labels", request.labels))
        scope = request.WhichOneof("scope")
        if scope is not None:
            violations += validate.id_violations(scope, getattr(request, scope))
        if violations:
            raise InvalidRequest(violations)
        size = sounds.page_size(request.page_size, sounds.DEFAULT_GROUPS, sounds.MOST_GROUPS)
        bound_to = sounds.duplicates_bound_to(owner, request)
        after = 0
        if request.page_token:
            after = tokens.decode_position(request.page_token, bound_to, field="page_token")
        batch_id = request.batch_id.lower() if scope == "batch_id" else None
        where = SoundFilter(labels=dict(request.labels), batch_id=batch_id)
        remaining_s = _remaining_s(context)
        within_s = LONGEST_LOOK_S if remaining_s is None else min(LONGEST_LOOK_S, remaining_s / 2)

        def look(connection: Connection) -> messages.FindDuplicatesResponse:
            look = Duplicates(connection, self._search, owner, where)
            if scope == "job_id":
                job_id = request.job_id.lower()
                queries.get_job(connection, job_id, owner=owner)
                group = look.of_job(job_id)
                looked = Looked(
                    groups=(group,) if group else (),
                    position=None,
                    looked_at=1,
                    without_fingerprint=0,
                )
            else:
                if batch_id is not None:
                    queries.get_batch(connection, batch_id, owner=owner)
                looked = look.look(after, groups=size, within_s=within_s, clock=time.monotonic)
            job_ids = [member.job_id for group in looked.groups for member in group]
            known = sounds_of(connection, job_ids, owner=owner)
            response = messages.FindDuplicatesResponse(
                groups=[sounds.group_message(group, known) for group in looked.groups],
                looked_at=looked.looked_at,
                without_fingerprint=looked.without_fingerprint,
            )
            if looked.position is not None:
                response.next_page_token = tokens.encode(looked.position, bound_to)
            return response

        return await self._store.read_long(look)

    async def _query(
        self, request: messages.FindSimilarRequest, owner: str, context: Context
    ) -> _Query:
        match request.WhichOneof("query"):
            case "job_id":
                job_id = validate.identifier("job_id", request.job_id)
                logs.note(job_id=job_id)
                job, vector = await self._store.read(lambda c: _job_and_vector(c, job_id, owner))
                # A file that was searched by may be among what is found; a job's own sound need not be told.
                made_to_search = bool((job.spec or {}).get(QUERY))
                without = None if made_to_search else vector.digest
                return _Query(vector=vector, job_id=job_id, without=without)
            case "vector":
                return _Query(vector=sounds.vector(request.vector))
            case "source":
                return await self._analysed(request, owner, context)
            case _:
                description = "Name a job_id, a source or a vector to search by."
                raise InvalidRequest([Violation("query", "NO_QUERY", description)])

    async def _analysed(
        self, request: messages.FindSimilarRequest, owner: str, context: Context
    ) -> _Query:
        caller = current_caller()
        if Scope.SUBMIT not in caller.scopes:
            raise ScopeMissing(_METHOD, Scope.SUBMIT, owner)
        new = validate.new_job(
            sounds.query_job(request), longest_run=validate.LONGEST_SCHEDULE_TIMEOUT
        )
        job = await self._accept(replace(new, spec={**(new.spec or {}), QUERY: True}))
        logs.note(job_id=job.job_id)
        remaining_s = _remaining_s(context) or LONGEST_WAIT_S
        reserve_s = min(RESERVE_SHARE * remaining_s, MOST_RESERVE_S)
        try:
            async with asyncio.timeout(remaining_s - reserve_s):
                ended = await self._ended(job.job_id, owner)
        except TimeoutError:
            raise QueryNotReady(job.job_id) from None
        if ended.state is not JobState.SUCCEEDED:
            raise QueryFailed(ended)
        vector = await self._store.read(lambda c: vector_of(c, ended))
        return _Query(vector=vector, job_id=job.job_id)

    async def _ended(self, job_id: str, owner: str) -> Job:
        """The job, once it has ended."""
        with self._hub.watch_job(job_id) as watcher:
            await self._hub.job_ready(job_id)
            while True:
                job = await self._store.read(lambda c: queries.get_job(c, job_id, owner=owner))
                if job.state.terminal:
                    return job
                while not watcher.changes() and not watcher.behind:
                    if self._hub.stopping:
                        raise ServerStopping
                    await watcher.rung()
                watcher.behind = False


def _remaining_s(context: Context) -> float | None:
    """How long the caller waits; None for ever, which the stubs do not know."""
    return context.time_remaining()


def _job_and_vector(connection: Connection, job_id: str, owner: str) -> tuple[Job, Vector]:
    job = queries.get_job(connection, job_id, owner=owner)
    return job, vector_of(connection, job)


def _place(page_token: str, bound_to: object) -> Place | None:
    if not page_token:
        return None
    match tokens.decode(page_token, bound_to, field="page_token"):
        case [int(number), float(similarity), str(job_id)]:
            return Place(number=number, similarity=similarity, job_id=job_id)
        case _:
            raise InvalidToken("page_token")
