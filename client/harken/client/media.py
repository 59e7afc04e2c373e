"""`Client.media`: files to the server, and files that jobs made from it. Its twin is `aio_media`."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from harken.client import rpc
from harken.client.deadline import Deadline
from harken.client.errors import HarkenError, NotFound
from harken.client.fetching import Fetching
from harken.client.folder import ListedSource
from harken.client.job import Job
from harken.client.reconnect import Reconnect
from harken.client.requests import JobRef
from harken.client.rpc import Rpc, Stubs
from harken.client.sending import OnProgress, Sending, is_wanted, without_source
from harken.client.upload import Artifact, Upload
from harken.v1.job_service_pb2 import SubmitAnalysisRequest

T = TypeVar("T")

OnUnreadable = Callable[[str], object]
ArtifactRef = str | UUID | Artifact


class Media:
    """The calls about files, on the connection of a client."""

    def __init__(
        self,
        stubs: Stubs,
        call: Callable[[Rpc[Any], float | None], Any],
        own_errors: Callable[[], AbstractContextManager[None]],
        reconnect: Reconnect,
    ) -> None:
        self._stubs = stubs
        self._call = call
        self._own_errors = own_errors
        self._reconnect = reconnect

    def upload(
        self,
        path: str | os.PathLike[str],
        *,
        upload_id: str | UUID | None = None,
        by_content: bool = False,
        on_progress: OnProgress | None = None,
        timeout: float | None = None,
    ) -> Upload:
        """Sends a file of this machine; it is durable when this returns.

        Bytes that the server has of you already are not sent. Goes on by itself when the server
        goes away and comes back. With an `upload_id` of your own you can go on with it in another
        process too; `by_content` takes the one that the file's content and name make. `timeout` bounds
        the whole; without it there is none.
        """
        sending = Sending(
            path,
            upload_id=upload_id,
            by_content=by_content,
            reconnect=self._reconnect,
            on_progress=on_progress,
        )
        return self._send(sending, timeout)[0]

    def submit(
        self,
        path: str | os.PathLike[str],
        request: SubmitAnalysisRequest,
        on_progress: OnProgress | None = None,
    ) -> Job:
        """Sends a file and has it analysed as a request says; `Client.submit` calls it."""
        sending = Sending(
            path,
            submit=without_source(request),
            reconnect=self._reconnect,
            on_progress=on_progress,
        )
        return self._send(sending, None)[1] or Job()

    def get_upload(self, upload_id: str | UUID, *, timeout: float | None = None) -> Upload:
        """An upload, such as one that broke off."""
        return self._call(rpc.get_upload(upload_id), timeout)

    def delete_upload(self, upload_id: str | UUID, *, timeout: float | None = None) -> None:
        """Deletes an upload, unless jobs wait for it or read it."""
        self._call(rpc.delete_upload(upload_id), timeout)

    def sources(
        self,
        place: str,
        *,
        every_name: bool = False,
        on_unreadable: OnUnreadable | None = None,
        timeout: float | None = None,
    ) -> Iterator[ListedSource]:
        """What of a folder, a pattern or a bucket the server can read; pages are fetched when reached.

        A `place` is a path as the server sees it, "music" or "music/**/*.flac", or "s3://bucket/music/".
        Without `every_name` it is what is named as sound or video is. `on_unreadable` is told of
        folders that the server passed over, since it may not read them. `timeout` is for a page.
        """
        token = ""
        while True:
            page = self._call(rpc.list_sources(place, token, every_name=every_name), timeout)
            if on_unreadable is not None:
                for folder in page.unreadable_folders:
                    on_unreadable(folder)
            yield from page.sources
            token = page.next_page_token
            if not token:
                return

    def artifacts(self, job: JobRef, *, timeout: float | None = None) -> Iterator[Artifact]:
        """The files that a job made, the oldest first; pages are fetched when reached."""
        token = ""
        while True:
            found, token = self._call(rpc.list_artifacts(job, token), timeout)
            yield from found
            if not token:
                return

    def download(
        self,
        artifact: ArtifactRef,
        to: str | os.PathLike[str],
        *,
        on_progress: OnProgress | None = None,
        timeout: float | None = None,
    ) -> Path:
        """Fetches an artifact into a file, or under its own name into a folder; gives the file.

        It is there once all of it is, and checked by its SHA-256. Goes on by itself when the server
        goes away and comes back.
        """
        deadline = Deadline(timeout)
        artifact_id = rpc.artifact_id_of(artifact)
        with Fetching(
            artifact_id, to, reconnect=self._reconnect, on_progress=on_progress
        ) as fetching:
            while True:
                try:
                    self._fetch(fetching, deadline.left())
                    return fetching.done()
                except HarkenError as error:
                    pause = fetching.lost(error, time.monotonic())
                time.sleep(deadline.within(pause))

    def _fetch(self, fetching: Fetching, timeout: float | None) -> None:
        with self._own_errors():
            stream: Any = self._stubs.media.DownloadArtifact(fetching.request(), timeout=timeout)
            try:
                for message in stream:
                    fetching.take(message)
            finally:
                stream.cancel()

    def _send(self, sending: Sending, timeout: float | None) -> tuple[Upload, Job | None]:
        deadline = Deadline(timeout)
        sending.prepare()
        if sending.resumed:
            sending.stands(self._standing(sending, deadline))
        while True:
            try:
                response = self._send_once(sending, deadline.left())
                sending.done()
                return rpc.uploaded(response)
            except HarkenError as error:
                pause = sending.lost(error, time.monotonic())
            time.sleep(deadline.within(pause))
            sending.stands(self._standing(sending, deadline))

    def _send_once(self, sending: Sending, timeout: float | None) -> Any:
        answered = threading.Event()
        wanted = False

        def go_ahead() -> bool:
            """Waited for by gRPC's thread, which sends."""
            answered.wait()
            return wanted

        with self._own_errors():
            call: Any = self._stubs.media.UploadMedia.future(
                sending.messages(go_ahead), timeout=timeout
            )
            try:
                wanted = is_wanted(call.initial_metadata())
                answered.set()
                return call.result()
            finally:
                answered.set()
                call.cancel()

    def _standing(self, sending: Sending, deadline: Deadline) -> Upload | None:
        while True:
            try:
                return self._call(rpc.get_upload(sending.upload_id), deadline.left())
            except NotFound:
                return None
            except HarkenError as error:
                pause = sending.lost(error, time.monotonic())
            time.sleep(deadline.within(pause))
