"""MediaService: bytes in as uploads, bytes out as artifacts."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection

from harken.jobs import clock
from harken.jobs.files import artifacts, upload_sources, uploads
from harken.jobs.files.upload import Upload
from harken.jobs.job import Job, NewJob
from harken.server import convert, tokens, validate
from harken.server.access.quotas import Quotas
from harken.server.caller import current_caller
from harken.server.errors import (
    InvalidRequest,
    InvalidToken,
    OffsetPastEnd,
    UploadStalled,
    UploadTooLarge,
    Violation,
)
from harken.server.interceptors.around import Context
from harken.server.media import reception
from harken.server.media.source_listings import SourceListings
from harken.server.media.upload_request import chunk_violation, upload_call
from harken.server.media.vault import Vault
from harken.server.progress.hub import Hub
from harken.server.store import Store
from harken.settings import Settings
from harken.telemetry import logs, tracing
from harken.v1 import media_service_pb2 as messages
from harken.v1.media_service_pb2_grpc import MediaServiceServicer

CHUNK_BYTES = 512 * 1024  # of a download; `python benchmarks/transfer.py` compares
MB = 1_000_000
# Says that the bytes are wanted. Who waits for it sends none in vain, and learns why they are not.
GO_AHEAD = (("harken-upload", "go-ahead"),)


class MediaService(MediaServiceServicer):
    """The servicer of MediaService."""

    def __init__(
        self,
        store: Store,
        hub: Hub,
        vault: Vault,
        settings: Settings,
        quotas: Quotas,
        listings: SourceListings,
    ) -> None:
        self._store = store
        self._listings = listings
        self._hub = hub
        self._vault = vault
        self._quotas = quotas
        self._limit_bytes = settings.max_upload_mb * MB
        self._kept_for = timedelta(hours=settings.upload_hours)
        self._longest_run = timedelta(seconds=settings.task_time_limit_s)

    async def UploadMedia(  # pyright: ignore[reportIncompatibleMethodOverride] # the stubs know iterators of both kinds
        self, request_iterator: AsyncIterator[messages.UploadMediaRequest], context: Context
    ) -> messages.UploadMediaResponse:
        """Receives a file."""
        owner = current_caller().owner
        first = await _first(request_iterator)
        if first is None or first.WhichOneof("message") != "header":
            description = "The first message has to be a header."
            raise InvalidRequest([Violation("header", "NO_HEADER", description)])
        call = upload_call(first.header, longest_run=self._longest_run)
        new_job = call.job
        if new_job is not None:
            self._quotas.submits(owner)
        limit_bytes = self._limit_bytes
        if self._quotas.stored:
            announced = max((call.new.size or 0) - call.offset, 0)
            left = await self._store.read(
                lambda c: self._quotas.check_stored(c, owner, adding=announced)
            )
            limit_bytes = int(min(limit_bytes, call.offset + left))
        if new_job is not None and (trace_parent := tracing.trace_parent()):
            new_job = replace(new_job, trace_parent=trace_parent)

        def on_complete(connection: Connection, upload: Upload) -> Job | None:
            if self._quotas.stored:  # others may have come meanwhile
                self._quotas.check_stored(connection, owner)
            return None if new_job is None else self._submit(connection, upload, new_job)

        receiving = reception.Reception(
            self._store,
            self._vault,
            call.new,
            owner=owner,
            offset=call.offset,
            limit_bytes=limit_bytes,
            kept_for=self._kept_for,
        )

        async def on_open() -> None:
            await context.send_initial_metadata(GO_AHEAD)

        try:
            received = await receiving.receive(
                _chunks(request_iterator), on_open=on_open, on_complete=on_complete
            )
        except UploadTooLarge as error:
            if limit_bytes < self._limit_bytes:
                raise self._quotas.bytes_refusal(owner) from error
            raise
        response = messages.UploadMediaResponse(upload=convert.upload_message(received.upload))
        if isinstance(received.done, Job):
            logs.note(job_id=received.done.job_id)
            self._hub.ring()
            response.job.CopyFrom(convert.job_message(received.done))
        return response

    async def GetUpload(
        self, request: messages.GetUploadRequest, context: Context
    ) -> messages.GetUploadResponse:
        """One upload."""
        upload_id = validate.identifier("upload_id", request.upload_id)
        owner = current_caller().owner
        upload = await self._store.read(lambda c: uploads.get_upload(c, upload_id, owner=owner))
        return messages.GetUploadResponse(upload=convert.upload_message(upload))

    async def DeleteUpload(
        self, request: messages.DeleteUploadRequest, context: Context
    ) -> messages.DeleteUploadResponse:
        """Deletes an upload."""
        upload_id = validate.identifier("upload_id", request.upload_id)
        owner = current_caller().owner
        orphans = await self._store.write(
            lambda c: uploads.delete_upload(c, upload_id, owner=owner)
        )
        await self._vault.delete(orphans)
        return messages.DeleteUploadResponse()

    async def ListSources(
        self, request: messages.ListSourcesRequest, context: Context
    ) -> messages.ListSourcesResponse:
        """A page of what can be submitted."""
        return await self._listings.page(request)

    async def ListArtifacts(
        self, request: messages.ListArtifactsRequest, context: Context
    ) -> messages.ListArtifactsResponse:
        """A page of a job's artifacts."""
        job_id = validate.identifier("job_id", request.job_id)
        size = validate.page_size(request.page_size)
        owner = current_caller().owner
        bound_to = ["artifacts", owner, job_id]
        after_id = _page_start(request.page_token, bound_to)
        found = await self._store.read(
            lambda c: artifacts.list_artifacts(
                c, job_id, owner=owner, limit=size + 1, after_id=after_id
            )
        )
        response = messages.ListArtifactsResponse(
            artifacts=[convert.artifact_message(artifact) for artifact in found[:size]]
        )
        if len(found) > size:
            response.next_page_token = tokens.encode(found[size - 1].artifact_id, bound_to)
        return response

    async def DownloadArtifact(  # pyright: ignore[reportIncompatibleMethodOverride] # it is a generator
        self, request: messages.DownloadArtifactRequest, context: Context
    ) -> AsyncGenerator[messages.DownloadArtifactResponse]:
        """Sends an artifact's bytes."""
        artifact_id = validate.identifier("artifact_id", request.artifact_id)
        _check_range(request)
        caller = current_caller()
        artifact, content = await self._store.read(
            lambda c: artifacts.get_artifact(
                c, artifact_id, owner=caller.owner, denied=caller.denied_kinds
            )
        )
        start = request.offset
        if start > artifact.size:
            raise OffsetPastEnd(start, artifact.size)
        end = min(start + request.length, artifact.size) if request.length else artifact.size
        yield messages.DownloadArtifactResponse(artifact=convert.artifact_message(artifact))
        # Each message waits until gRPC has taken the one before: a slow reader costs a block of memory, not a file.
        async for block in self._vault.storage.read_async(content.key, start=start, end=end):
            for place in range(0, len(block), CHUNK_BYTES):
                chunk = bytes(block[place : place + CHUNK_BYTES])
                yield messages.DownloadArtifactResponse(chunk=chunk)

    def _submit(self, connection: Connection, upload: Upload, new: NewJob) -> Job:
        """Makes a job of an upload, in the transaction that completes it."""
        return upload_sources.submit_job(
            connection,
            new,
            owner=upload.owner,
            now=clock.now(connection),
            kept_for=self._kept_for,
            room=self._quotas.room,
        )


async def _first(
    requests: AsyncIterator[messages.UploadMediaRequest],
) -> messages.UploadMediaRequest | None:
    """The first message; None when there is none. Raises UploadStalled."""
    try:
        async with asyncio.timeout(reception.LONGEST_SILENCE_S):
            return await anext(requests, None)
    except TimeoutError:
        raise UploadStalled(reception.LONGEST_SILENCE_S) from None


async def _chunks(requests: AsyncIterator[messages.UploadMediaRequest]) -> AsyncGenerator[bytes]:
    async for request in requests:
        if request.WhichOneof("message") == "header":
            description = "Only the first message is a header."
            raise InvalidRequest([Violation("header", "SECOND_HEADER", description)])
        chunk_violation(request.chunk)
        yield request.chunk


def _check_range(request: messages.DownloadArtifactRequest) -> None:
    """Raises InvalidRequest."""
    violations = [
        Violation(field, "NEGATIVE", "It has to be at least 0.")
        for field in ("offset", "length")
        if getattr(request, field) < 0
    ]
    if violations:
        raise InvalidRequest(violations)


def _page_start(page_token: str, bound_to: object) -> str | None:
    if not page_token:
        return None
    after_id = tokens.decode(page_token, bound_to, field="page_token")
    if not isinstance(after_id, str):
        raise InvalidToken("page_token")
    return after_id
