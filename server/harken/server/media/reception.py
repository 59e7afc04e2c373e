"""One call that receives an upload: bytes into the storage, how far it is into the database, and an end of either kind.

What is written goes to the storage while the next message arrives. Of an upload that can be gone on with, what is
durable is noted now and then; a remote storage has to end a part for that, and takes up another one.

Nothing here deletes what the database may refer to: only keys that it says are nobody's, and writers without an end.
"""

import asyncio
import logging
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from harken.jobs import clock
from harken.jobs.errors import UploadLost
from harken.jobs.files import uploads
from harken.jobs.files.upload import NewUpload, Opened, Part, Upload, UploadState
from harken.media.blob import Blob
from harken.media.blob_writer import BlobWriter
from harken.media.storage_errors import StorageError, StorageFull
from harken.server.errors import (
    InvalidRequest,
    UploadCorrupt,
    UploadStalled,
    UploadTooLarge,
    UploadTruncated,
    Violation,
)
from harken.server.media.vault import Vault
from harken.server.store import Store

T = TypeVar("T")

LOG = logging.getLogger(__name__)

LONGEST_SILENCE_S = 60.0
RENEW_EVERY_S = 3.0  # a third of a writer's lease
NOTE_EVERY_BYTES = 64 * 1024 * 1024  # what an upload that breaks off may have to send again
NOTE_EVERY_S = 5.0  # and on a slow line
END_PART_EVERY_S = 60.0  # where noting ends a part, small ones would be many
# After these nobody goes on with an upload; of a full storage what has come is the first that can go.
_FINAL = (UploadCorrupt, UploadTooLarge, InvalidRequest, StorageFull)


@dataclass(frozen=True, kw_only=True)
class Received:
    """An upload that is complete, and what was done with that in the same transaction."""

    upload: Upload
    done: object = None


class Reception:
    """The receiving of one upload by one call."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        new: NewUpload,
        *,
        owner: str,
        offset: int,
        limit_bytes: int,
        kept_for: timedelta,
    ) -> None:
        self._store = store
        self._vault = vault
        self._new = new
        self._owner = owner
        self._offset = offset
        self._limit_bytes = limit_bytes
        self._kept_for = kept_for
        self._me = str(uuid.uuid4())  # the writer's id that fences
        self._parts: list[Part] = []
        self._writer: BlobWriter | None = None
        self._doing: asyncio.Future[Any] | None = None  # what a thread does with the writer
        self._received = offset
        self._noted = (offset, 0.0)
        self._lost: Exception | None = None

    async def receive(
        self,
        chunks: AsyncIterator[bytes],
        *,
        on_open: Callable[[], Awaitable[None]],
        on_complete: Callable[[Connection, Upload], object],
    ) -> Received:
        """Takes the chunks to their end.

        `on_open` is awaited when they are wanted; `on_complete` is part of the transaction that completes the upload.

        Raises the errors of `uploads.open_upload`, UploadTooLarge, UploadTruncated, UploadCorrupt, UploadStalled,
        UploadLost, StorageError, and what `on_complete` raises.
        """
        if max(self._offset, self._new.size or 0) > self._limit_bytes:
            raise UploadTooLarge(self._limit_bytes)
        opened, done = await self._open(on_complete)
        if opened.upload.state is UploadState.COMPLETE:
            return Received(upload=opened.upload, done=done)
        self._parts = list(opened.parts)
        self._noted = (self._received, asyncio.get_running_loop().time())
        try:
            async with self._heard_of():
                await on_open()
                await self._take(chunks)
                content = await self._finish()
                return await self._complete(content, on_complete)
        except BaseException as error:
            forget = isinstance(error, _FINAL) or not self._new.resumable
            await self._vault.to_its_end(self._leave(forget=forget))
            raise

    async def _open(
        self, on_complete: Callable[[Connection, Upload], object]
    ) -> tuple[Opened, object]:
        def write(connection: Connection) -> tuple[Opened, object]:
            opened = uploads.open_upload(
                connection,
                self._new,
                owner=self._owner,
                offset=self._offset,
                writer=self._me,
                now=clock.now(connection),
                kept_for=self._kept_for,
            )
            complete = opened.upload.state is UploadState.COMPLETE
            return opened, on_complete(connection, opened.upload) if complete else None

        opened, done = await self._store.write(write)
        await self._vault.delete(opened.orphans)
        return opened, done

    async def _take(self, chunks: AsyncIterator[bytes]) -> None:
        clock_s = asyncio.get_running_loop().time
        while True:
            try:
                async with asyncio.timeout(LONGEST_SILENCE_S):
                    chunk = await anext(chunks, None)
            except TimeoutError:
                raise UploadStalled(LONGEST_SILENCE_S) from None
            if chunk is None:
                break
            if not chunk:
                continue
            self._received += len(chunk)
            self._check_size()
            await self._written()
            if self._lost is not None:
                raise self._lost
            writer = self._writer or await self._begin_part()
            self._doing = self._vault.begin(partial(writer.write, chunk))
            if self._new.resumable and self._is_to_be_noted(clock_s()):
                await self._written()
                await self._note()
        await self._written()
        if self._received < (self._new.size or 0):
            raise UploadTruncated(self._received, self._new.size or 0)

    def _check_size(self) -> None:
        size = self._new.size
        if size is not None and self._received > size:
            description = f"More than the announced {size:,} bytes came."
            raise InvalidRequest([Violation("header.size", "MORE_THAN_ANNOUNCED", description)])
        if self._received > self._limit_bytes:
            raise UploadTooLarge(self._limit_bytes)

    async def _begin_part(self) -> BlobWriter:
        writer = await self._do(lambda: self._vault.storage.new(self._owner))
        self._writer = writer  # before anything else can fail: it is let go in the end
        await self._write(
            lambda c: uploads.begin_part(
                c,
                self._new.upload_id,
                writer.key,
                owner=self._owner,
                writer=self._me,
                now=clock.now(c),
            )
        )
        return writer

    async def _do(self, work: Callable[[], T]) -> T:
        """Does the work in a thread, after what is being done."""
        await self._written()
        self._doing = self._vault.begin(work)
        return await self._written()

    async def _written(self) -> Any:
        """Returns what a thread has done once it has; cancelled, that goes on, and can be waited for again."""
        if self._doing is None:
            return None
        value = await asyncio.shield(self._doing)
        self._doing = None
        return value

    def _is_to_be_noted(self, now_s: float) -> bool:
        received, time_s = self._noted
        every_s = NOTE_EVERY_S if self._vault.storage.is_local else END_PART_EVERY_S
        return self._received - received >= NOTE_EVERY_BYTES or now_s - time_s >= every_s

    async def _note(self) -> None:
        """Makes durable what has come, and says so."""
        writer = self._writer
        if writer is None:
            return
        if not await self._do(writer.sync):
            await self._end_part(writer)
        else:
            await self._advance(Part(key=writer.key, size=writer.size))
        self._noted = (self._received, asyncio.get_running_loop().time())

    async def _end_part(self, writer: BlobWriter) -> None:
        blob = await self._do(writer.finish)
        self._writer = None
        part = Part(key=blob.key, size=blob.size)
        await self._advance(part)
        self._parts.append(part)

    async def _advance(self, part: Part) -> None:
        await self._write(
            lambda c: uploads.advance(
                c,
                self._new.upload_id,
                part,
                owner=self._owner,
                writer=self._me,
                now=clock.now(c),
            )
        )

    async def _finish(self) -> Blob:
        """All that came as one, with its SHA-256."""
        writer = self._writer or (None if self._parts else await self._begin_part())
        if not self._parts and writer is not None:
            content = await self._do(writer.finish)
            self._writer = None
        else:
            if writer is not None:
                await self._end_part(writer)
            content = await self._do(self._join)
        announced = self._new.sha256
        if announced is not None and announced != content.sha256:
            if self._parts:
                await self._vault.delete([content.key])
            raise UploadCorrupt(announced, content.sha256)
        return content

    def _join(self) -> Blob:
        """One from the parts; a thread."""
        storage = self._vault.storage
        with storage.new(self._owner) as joined:
            for part in self._parts:
                for block in storage.read(part.key, end=part.size):
                    joined.write(block)
            return joined.finish()

    async def _complete(
        self, content: Blob, on_complete: Callable[[Connection, Upload], object]
    ) -> Received:
        def write(connection: Connection) -> tuple[Opened, object]:
            opened = uploads.complete(
                connection,
                self._new.upload_id,
                content,
                owner=self._owner,
                writer=self._me,
                now=clock.now(connection),
                kept_for=self._kept_for,
            )
            return opened, on_complete(connection, opened.upload)

        opened, done = await self._write(write)
        await self._vault.delete(opened.orphans)
        return Received(upload=opened.upload, done=done)

    async def _leave(self, *, forget: bool) -> None:
        """The end without a complete upload: what may be gone on with is noted, else all is taken away."""
        try:
            with suppress(StorageError):
                await self._written()
            self._doing = None
            writer, self._writer = self._writer, None
            if writer is not None:
                await self._let_go(writer, forget=forget)
            orphans = await self._store.write(
                lambda c: uploads.leave(
                    c, self._new.upload_id, owner=self._owner, writer=self._me, forget=forget
                )
            )
            await self._vault.delete(orphans)
        except (DBAPIError, UploadLost) as error:
            # The lease runs out, and the clean-up finds the rest.
            LOG.warning("upload %s is left as it is: %s", self._new.upload_id, error)

    async def _let_go(self, writer: BlobWriter, *, forget: bool) -> None:
        if forget:
            await self._do(writer.discard)
            return
        try:
            if writer.size:
                await self._end_part(writer)
        except StorageError:
            await self._do(writer.abandon)

    @asynccontextmanager
    async def _heard_of(self) -> AsyncGenerator[None]:
        """Says now and then that this call is still there."""
        renewing = asyncio.create_task(self._renew())
        try:
            yield
        finally:
            renewing.cancel()

    async def _renew(self) -> None:
        while self._lost is None:
            await asyncio.sleep(RENEW_EVERY_S)
            try:
                await self._write(
                    lambda c: uploads.renew(
                        c,
                        self._new.upload_id,
                        owner=self._owner,
                        writer=self._me,
                        now=clock.now(c),
                    )
                )
            except UploadLost as error:
                self._lost = error
            except DBAPIError as error:
                LOG.warning("upload %s: %s", self._new.upload_id, error)

    async def _write(self, work: Callable[[Connection], T]) -> T:
        return await self._store.write(work)
