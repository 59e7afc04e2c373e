"""`AsyncClient.media`: files to the server, and files that jobs made from it. Its twin is `media`."""

# ruff: noqa: ASYNC109  # the timeouts are gRPC's deadlines, which the server learns of

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import grpc
import grpc.aio

from harken.client import rpc
from harken.client.deadline import Deadline
from harken.client.errors import HarkenError, NotFound, ServerUnavailable
from harken.client.fetching import Fetching
from harken.client.folder import ListedSource
from harken.client.job import Job
from harken.client.media import ArtifactRef, OnUnreadable
from harken.client.reconnect import Reconnect
from harken.client.requests import JobRef
from harken.client.rpc import Rpc, Stubs
from harken.client.sending import OnProgress, Sending, is_wanted, without_source
from harken.client.upload import Artifact, Upload
from harken.v1.job_service_pb2 import SubmitAnalysisRequest


class AsyncMedia:
    """The calls about files, on the connection of a client; files are read and written in threads."""

    def __init__(
        self,
        stubs: Callable[[], Stubs],
        call: Callable[[Rpc[Any], float | None], Awaitable[Any]],
        own_errors: Callable[[], AbstractContextManager[None]],
        reconnect: Reconnect,
    ) -> None:
        self._stubs = stubs
        self._call = call
        self._own_errors = own_errors
        self._reconnect = reconnect

    async def upload(
        self,
        path: str | os.PathLike[str],
        *,
        upload_id: str | UUID | None = None,
        by_content: bool = False,
        on_progress: OnProgress | None = None,
        timeout: float | None = None,
    ) -> Upload:
        """Sends a file of this machine; as `Media.upload`."""
        sending = Sending(
            path,
            upload_id=upload_id,
            by_content=by_content,
            reconnect=self._reconnect,
            on_progress=on_progress,
        )
        return (await self._send(sending, timeout))[0]

    async def submit(
        self,
        path: str | os.PathLike[str],
        request: SubmitAnalysisRequest,
        on_progress: OnProgress | None = None,
    ) -> Job:
        """Sends a file and has it analysed as a request says; `AsyncClient.submit` calls it."""
        sending = Sending(
            path,
            submit=without_source(request),
            reconnect=self._reconnect,
            on_progress=on_progress,
        )
        return (await self._send(sending, None))[1] or Job()

    async def get_upload(self, upload_id: str | UUID, *, timeout: float | None = None) -> Upload:
        """An upload, such as one that broke off."""
        return await self._call(rpc.get_upload(upload_id), timeout)

    async def delete_upload(self, upload_id: str | UUID, *, timeout: float | None = None) -> None:
        """Deletes an upload, unless jobs wait for it or read it."""
        await self._call(rpc.delete_upload(upload_id), timeout)

    async def sources(
        self,
        place: str,
        *,
        every_name: bool = False,
        on_unreadable: OnUnreadable | None = None,
        timeout: float | None = None,
    ) -> AsyncIterator[ListedSource]:
        """What of a folder, a pattern or a bucket the server can read; as `Media.sources`."""
        token = ""
        while True:
            page = await self._call(rpc.list_sources(place, token, every_name=every_name), timeout)
            if on_unreadable is not None:
                for folder in page.unreadable_folders:
                    on_unreadable(folder)
            for one in page.sources:
                yield one
            token = page.next_page_token
            if not token:
                return

    async def artifacts(
        self, job: JobRef, *, timeout: float | None = None
    ) -> AsyncIterator[Artifact]:
        """The files that a job made, the oldest first; pages are fetched when reached."""
        token = ""
        while True:
            found, token = await self._call(rpc.list_artifacts(job, token), timeout)
            for artifact in found:
                yield artifact
            if not token:
                return

    async def download(
        self,
        artifact: ArtifactRef,
        to: str | os.PathLike[str],
        *,
        on_progress: OnProgress | None = None,
        timeout: float | None = None,
    ) -> Path:
        """Fetches an artifact into a file, or under its own name into a folder; as `Media.download`."""
        deadline = Deadline(timeout)
        artifact_id = rpc.artifact_id_of(artifact)
        with Fetching(
            artifact_id, to, reconnect=self._reconnect, on_progress=on_progress
        ) as fetching:
            while True:
                try:
                    await self._fetch(fetching, deadline.left())
                    return fetching.done()
                except HarkenError as error:
                    pause = fetching.lost(error, time.monotonic())
                await asyncio.sleep(deadline.within(pause))

    async def _fetch(self, fetching: Fetching, timeout: float | None) -> None:
        with self._own_errors():
            stream: Any = self._stubs().media.DownloadArtifact(fetching.request(), timeout=timeout)
            try:
                async for message in stream:
                    await asyncio.to_thread(fetching.take, message)
            finally:
                stream.cancel()

    async def _send(self, sending: Sending, timeout: float | None) -> tuple[Upload, Job | None]:
        deadline = Deadline(timeout)
        await asyncio.to_thread(sending.prepare)
        if sending.resumed:
            sending.stands(await self._standing(sending, deadline))
        while True:
            try:
                response = await self._send_once(sending, deadline.left())
                sending.done()
                return rpc.uploaded(response)
            except HarkenError as error:
                pause = sending.lost(error, time.monotonic())
            await asyncio.sleep(deadline.within(pause))
            sending.stands(await self._standing(sending, deadline))

    async def _send_once(self, sending: Sending, timeout: float | None) -> Any:
        chunks = sending.chunks()
        with self._own_errors():
            upload: Any = self._stubs().media.UploadMedia  # the stubs want an iterator
            call = upload(timeout=timeout)
            try:
                await call.write(sending.header())
                if is_wanted(await call.initial_metadata()):
                    await self._write(call, chunks)
                return await call
            except OSError:
                # Told by `Sending.lost`, as for its twin.
                raise HarkenError("The file cannot be read.") from None
            finally:
                call.cancel()
                with suppress(ValueError):  # a thread is at it, whom nobody asks any more
                    chunks.close()

    async def _write(self, call: Any, chunks: Iterator[Any]) -> None:
        try:
            while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
                await call.write(chunk)
            await call.done_writing()
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError) as error:
            # Why, gRPC does not always know here: the server does, should it be asked again.
            code = error.code() if isinstance(error, grpc.aio.AioRpcError) else None
            if code not in (None, grpc.StatusCode.INTERNAL):
                raise
            raise ServerUnavailable("The connection broke off while a file was sent.") from error

    async def _standing(self, sending: Sending, deadline: Deadline) -> Upload | None:
        while True:
            try:
                return await self._call(rpc.get_upload(sending.upload_id), deadline.left())
            except NotFound:
                return None
            except HarkenError as error:
                pause = sending.lost(error, time.monotonic())
            await asyncio.sleep(deadline.within(pause))
