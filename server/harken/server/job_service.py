"""JobService: each call checks its request, asks the store, and answers in messages.

Requests that name files are checked in a thread: a file system that hangs must not hold up the other calls.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from sqlalchemy import Connection

from harken.jobs import audit, cancellation, clock, queries, redrive, submission
from harken.jobs.files import artifacts, upload_sources
from harken.jobs.job import Batch, Job, NewBatch, NewJob
from harken.jobs.queueing.waiting_room import WaitingRoom
from harken.jobs.state import HELD
from harken.media import MediaRoots
from harken.media.source_rules import SourceRules
from harken.media.uri import parse_uri
from harken.server import convert, filters, retries, tokens, validate
from harken.server.access.quotas import Quotas
from harken.server.caller import current_caller
from harken.server.errors import InvalidRequest, InvalidToken, Violation
from harken.server.file_checks import FileChecks
from harken.server.interceptors.around import Context, write
from harken.server.progress.batch_stream import BatchStream
from harken.server.progress.hub import Hub
from harken.server.progress.item_stream import ItemStream
from harken.server.progress.job_stream import JobStream, Write
from harken.server.progress.openings import Openings
from harken.server.progress.ticks import Tick
from harken.server.store import Store
from harken.telemetry import logs, tracing
from harken.v1 import job_service_pb2 as messages
from harken.v1.job_service_pb2_grpc import JobServiceServicer

# A page of long paths and many labels ends earlier: clients refuse messages over 4 MiB by default.
LARGEST_PAGE_BYTES = 3 * 1024 * 1024

MOST_ARTIFACTS = 100  # of a job that GetJob gives; ListArtifacts has all

_ACTIONS = "actions"  # what their page tokens are bound to


class JobService(JobServiceServicer):
    """The servicer of JobService."""

    def __init__(
        self,
        store: Store,
        hub: Hub,
        roots: MediaRoots,
        checks: FileChecks,
        *,
        rules: SourceRules,
        longest_run: timedelta,
        quotas: Quotas,
        uploads_kept_for: timedelta,
    ) -> None:
        self._store = store
        self._hub = hub
        self._openings = Openings(store, hub)
        self._roots = roots
        self._resolve = roots.resolver()
        self._checks = checks
        self._rules = rules
        self._longest_run = longest_run
        self._quotas = quotas
        # One object for all calls: those that stand side by side are written together.
        self._submit_all = partial(_submit_all, quotas.room)
        self._uploads_kept_for = uploads_kept_for

    async def SubmitAnalysis(
        self, request: messages.SubmitAnalysisRequest, context: Context
    ) -> messages.SubmitAnalysisResponse:
        """Accepts one file."""
        job = await self.accept(validate.new_job(request, longest_run=self._longest_run))
        logs.note(job_id=job.job_id)
        return messages.SubmitAnalysisResponse(job=convert.job_message(job))

    async def accept(self, new: NewJob) -> Job:
        """Makes a job of the caller's, once its source is checked."""
        owner = current_caller().owner
        self._quotas.submits(owner)
        if new.source.kind == "path":
            await self._checks.run(partial(self._resolve, new.source.value))
        elif new.source.kind == "uri":
            self._rules.check(parse_uri(new.source.value))
        if trace_parent := tracing.trace_parent():
            new = replace(new, trace_parent=trace_parent)
        if new.source.kind == upload_sources.UPLOAD:
            job = await self._store.write(partial(self._submit_upload, owner, new))
        else:
            wanted = submission.Submission(new=new, owner=owner)
            # To find room takes more than one statement.
            alone = self._quotas.room is None
            job = await self._store.write_among(self._submit_all, wanted, one_statement=alone)
        self._hub.ring()
        return job

    async def SubmitBatch(
        self, request: messages.SubmitBatchRequest, context: Context
    ) -> messages.SubmitBatchResponse:
        """Accepts many files."""
        owner = current_caller().owner
        self._quotas.submits(owner)
        new = await asyncio.to_thread(
            validate.new_batch, request, self._roots, self._rules, longest_run=self._longest_run
        )
        if trace_parent := tracing.trace_parent():
            traced = [
                (index, replace(item, trace_parent=trace_parent)) for index, item in new.items
            ]
            new = replace(new, items=tuple(traced))
        batch = await self._store.write(partial(self._submit_batch, owner, new))
        logs.note(batch_id=batch.batch_id)
        self._hub.ring()
        return messages.SubmitBatchResponse(
            batch=convert.batch_message(batch),
            failed_items=[convert.failed_item(item) for item in batch.refused],
        )

    async def GetJob(
        self, request: messages.GetJobRequest, context: Context
    ) -> messages.GetJobResponse:
        """One job with its result."""
        job_id = validate.identifier("job_id", request.job_id)
        logs.note(job_id=job_id)
        owner = current_caller().owner
        job, result, made = await self._store.read(
            lambda c: (
                queries.get_job(c, job_id, owner=owner),
                queries.get_result(c, job_id),
                artifacts.of_job(c, job_id, owner=owner, limit=MOST_ARTIFACTS),
            )
        )
        ticks = await self._ticks_of(job)
        message = convert.job_message(job, tick=ticks.get(job_id), result=result, artifacts=made)
        return messages.GetJobResponse(job=message)

    async def GetBatch(
        self, request: messages.GetBatchRequest, context: Context
    ) -> messages.GetBatchResponse:
        """One batch."""
        batch_id = validate.identifier("batch_id", request.batch_id)
        logs.note(batch_id=batch_id)
        owner = current_caller().owner
        batch = await self._store.read(lambda c: queries.get_batch(c, batch_id, owner=owner))
        return messages.GetBatchResponse(batch=convert.batch_message(batch))

    async def ListJobs(
        self, request: messages.ListJobsRequest, context: Context
    ) -> messages.ListJobsResponse:
        """A page of jobs."""
        wanted = filters.list_filter(request)
        size = validate.page_size(request.page_size)
        owner = current_caller().owner
        bound_to = [owner, *filters.bound_to(wanted)]
        before_id = _page_start(request.page_token, bound_to)
        jobs = await self._store.read(
            lambda c: queries.list_jobs(c, wanted, owner=owner, limit=size + 1, before_id=before_id)
        )
        ticks = await self._ticks_of(*jobs)
        response = messages.ListJobsResponse()
        page_bytes = 0
        for job in jobs[:size]:
            message = convert.job_message(job, tick=ticks.get(job.job_id))
            page_bytes += message.ByteSize()
            if response.jobs and page_bytes > LARGEST_PAGE_BYTES:
                break
            response.jobs.append(message)
        if len(response.jobs) < len(jobs):
            response.next_page_token = tokens.encode(response.jobs[-1].job_id, bound_to)
        return response

    async def CancelJob(
        self, request: messages.CancelJobRequest, context: Context
    ) -> messages.CancelJobResponse:
        """Asks for one job to be stopped."""
        caller = current_caller()
        asked = retries.cancel_job(owner=caller.owner, peer=caller.peer(context.peer()))
        job_id = validate.identifier("job_id", request.job_id)
        logs.note(job_id=job_id)
        job = await self._store.write(
            lambda c: cancellation.cancel_job(
                c, job_id, owner=caller.owner, now=clock.now(c), asked=asked
            )
        )
        self._hub.ring()
        return messages.CancelJobResponse(job=convert.job_message(job))

    async def CancelBatch(
        self, request: messages.CancelBatchRequest, context: Context
    ) -> messages.CancelBatchResponse:
        """Asks for all jobs of a batch to be stopped."""
        caller = current_caller()
        asked = retries.cancel_batch(request, owner=caller.owner, peer=caller.peer(context.peer()))
        batch_id = validate.identifier("batch_id", request.batch_id)
        logs.note(batch_id=batch_id)
        batch = await self._store.write(
            lambda c: cancellation.cancel_batch(
                c, batch_id, owner=caller.owner, now=clock.now(c), asked=asked
            )
        )
        self._hub.ring()
        return messages.CancelBatchResponse(batch=convert.batch_message(batch))

    async def RetryJobs(
        self, request: messages.RetryJobsRequest, context: Context
    ) -> messages.RetryJobsResponse:
        """Runs jobs that have ended once more."""
        caller = current_caller()
        if not request.dry_run:
            self._quotas.submits(caller.owner)
        peer = caller.peer(context.peer())
        # Of one clock with the ids of all jobs, whichever server made them: by it a filter's pages end.
        now = await self._store.read(clock.now)
        call = retries.retry_call(request, owner=caller.owner, peer=peer, now=now)
        if request.dry_run:
            outcomes, page_end = await self._store.read(
                lambda c: redrive.preview_retry(
                    c,
                    call.wanted,
                    owner=caller.owner,
                    force=request.force,
                    now=now,
                    denied=caller.denied_kinds,
                )
            )
            return call.response(outcomes, page_end, now)
        trace_parent = tracing.trace_parent()
        action = await self._store.write(
            lambda c: redrive.retry_jobs(
                c,
                call.wanted,
                call.asked,
                force=request.force,
                now=now,
                room=self._quotas.room,
                denied=caller.denied_kinds,
                trace_parent=trace_parent,
            )
        )
        self._hub.ring()
        response = call.response(action.outcomes, action.page_end, action.time)
        response.action_id = action.action_id
        return response

    async def DismissJobs(
        self, request: messages.DismissJobsRequest, context: Context
    ) -> messages.DismissJobsResponse:
        """Takes failed jobs off the list of dead letters."""
        caller = current_caller()
        asked = retries.dismiss_jobs(owner=caller.owner, peer=caller.peer(context.peer()))
        wanted = redrive.ByIds(job_ids=validate.identifiers("job_ids", request.job_ids))
        action = await self._store.write(
            lambda c: redrive.dismiss_jobs(c, wanted, asked, now=clock.now(c))
        )
        return messages.DismissJobsResponse(
            outcomes=[convert.outcome_message(outcome) for outcome in action.outcomes],
            dismissed_count=action.done,
            action_id=action.action_id,
        )

    async def ListActions(
        self, request: messages.ListActionsRequest, context: Context
    ) -> messages.ListActionsResponse:
        """A page of actions."""
        size = validate.page_size(request.page_size)
        owner = current_caller().owner
        bound_to = [owner, _ACTIONS]
        before_id = _page_start(request.page_token, bound_to)
        found = await self._store.read(
            lambda c: audit.list_actions(c, owner=owner, limit=size + 1, before_id=before_id)
        )
        response = messages.ListActionsResponse(
            actions=[convert.action_message(action) for action in found[:size]]
        )
        if len(found) > size:
            response.next_page_token = tokens.encode(found[size - 1].action_id, bound_to)
        return response

    async def GetAction(
        self, request: messages.GetActionRequest, context: Context
    ) -> messages.GetActionResponse:
        """One action with its outcomes."""
        action_id = validate.identifier("action_id", request.action_id)
        owner = current_caller().owner
        action = await self._store.read(lambda c: audit.get_action(c, action_id, owner=owner))
        return messages.GetActionResponse(action=convert.action_message(action))

    async def StreamProgress(  # pyright: ignore[reportIncompatibleMethodOverride] # bytes, by writing them
        self, request: messages.StreamProgressRequest, context: Context
    ) -> None:
        """Follows a job or a batch to its end."""
        stream = self._stream(request, partial(write, context))
        heartbeat = validate.heartbeat_interval(
            request.heartbeat_interval if request.HasField("heartbeat_interval") else None
        )
        # Not a context manager: of ten thousand streams each would keep one.
        opened, target = self._hub.counts.streams_open, request.WhichOneof("target") or ""
        opened[target] += 1
        try:
            await stream.run(request.resume_token, heartbeat)
        except InvalidToken:
            await stream.find()  # what is another's is not there, whatever token comes with it
            raise
        finally:
            opened[target] -= 1

    def _stream(
        self, request: messages.StreamProgressRequest, write: Write
    ) -> JobStream | BatchStream | ItemStream:
        owner = current_caller().owner
        match request.WhichOneof("target"):
            case "job_id":
                if request.include_items:
                    description = "Only a batch has items: name a batch_id, or leave it out."
                    raise InvalidRequest([Violation("include_items", "NOT_A_BATCH", description)])
                job_id = validate.identifier("job_id", request.job_id)
                logs.note(job_id=job_id)
                return JobStream(self._hub, self._store, self._openings, write, owner, job_id)
            case "batch_id":
                kind = ItemStream if request.include_items else BatchStream
                batch_id = validate.identifier("batch_id", request.batch_id)
                logs.note(batch_id=batch_id)
                return kind(self._hub, self._store, self._openings, write, owner, batch_id)
            case _:
                description = "Name a job_id or a batch_id to follow."
                raise InvalidRequest([Violation("target", "NO_TARGET", description)])

    def _submit_upload(self, owner: str, new: NewJob, connection: Connection) -> Job:
        return upload_sources.submit_job(
            connection,
            new,
            owner=owner,
            now=clock.now(connection),
            kept_for=self._uploads_kept_for,
            room=self._quotas.room,
        )

    def _submit_batch(self, owner: str, new: NewBatch, connection: Connection) -> Batch:
        now = clock.now(connection)
        if any(item.source.kind == upload_sources.UPLOAD for _, item in new.items):
            kept_for = self._uploads_kept_for
            new = upload_sources.with_uploads(
                connection, new, owner=owner, now=now, kept_for=kept_for
            )
        room = self._quotas.room
        return submission.submit_batch(connection, new, owner=owner, now=now, room=room)

    async def _ticks_of(self, *jobs: Job) -> dict[str, Tick]:
        running = [job.job_id for job in jobs if job.state in HELD]
        return await self._hub.ticks(*running) if running else {}


def _submit_all(
    room: WaitingRoom | None, connection: Connection, wanted: Sequence[submission.Submission]
) -> list[Job | Exception]:
    return submission.submit_jobs(connection, wanted, now=clock.now(connection), room=room)


def _page_start(page_token: str, bound_to: object) -> str | None:
    if not page_token:
        return None
    before_id = tokens.decode(page_token, bound_to, field="page_token")
    if not isinstance(before_id, str):
        raise InvalidToken("page_token")
    return before_id
