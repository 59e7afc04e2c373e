"""Sending a file over as many calls as it takes.

    header, chunks ──> complete
      │
      └── UNAVAILABLE, ABORTED ──> pause, and on from where the server says that it stands
      └── OFFSET_MISMATCH ───────> on from there at once

No calls here: the sync and the asyncio client hold them and the pause.
"""

import hashlib
import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4, uuid5

from harken.client.errors import HarkenError, InvalidRequest, NotFound, RequestRefused
from harken.client.reconnect import Patience, Reconnect
from harken.client.upload import Upload
from harken.v1 import job_service_pb2
from harken.v1 import media_service_pb2 as pb

OnProgress = Callable[[int, int], None]
"""Called with how many bytes have been sent, and how many there are."""

CHUNK_BYTES = 1024 * 1024
"""Bytes of a message: `python benchmarks/transfer.py` compares. The server takes up to 4 MiB."""
GO_AHEAD = ("harken-upload", "go-ahead")
"""What the server's initial metadata holds when the bytes are wanted."""
BY_CONTENT = UUID("5b0f2f7c-7f0e-5d0a-9a55-1f9f4bb0a1c6")
"""The namespace of the ids that content and name of a file make."""
HASH_BYTES = 1024 * 1024
MOST_MISMATCHES = 3
"""Times that the server may say in a row that it stands elsewhere; then two are sending."""


class Sending:
    """The state of one upload, over all of its calls."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        upload_id: str | UUID | None = None,
        by_content: bool = False,
        submit: job_service_pb2.SubmitAnalysisRequest | None = None,
        reconnect: Reconnect,
        on_progress: OnProgress | None = None,
    ) -> None:
        self.path = Path(path)
        self.upload_id = str(upload_id or uuid4())
        self.resumed = by_content or upload_id is not None
        self._by_content = by_content
        self._submit = submit
        self._patience = Patience(reconnect)
        self._on_progress = on_progress
        self._size = 0
        self._sha256 = ""
        self._offset = 0
        self._mismatches = 0
        self._unreadable: OSError | None = None

    def prepare(self) -> None:
        """Reads the file once for its size and SHA-256. Raises InvalidRequest."""
        digest = hashlib.sha256()
        size = 0
        try:
            with self.path.open("rb") as file:
                while block := file.read(HASH_BYTES):
                    digest.update(block)
                    size += len(block)
        except OSError as error:
            raise self._cannot_be_read(error) from error
        self._size, self._sha256 = size, digest.hexdigest()
        if self._by_content:
            self.upload_id = str(uuid5(BY_CONTENT, f"{self._sha256} {self._name}"))

    def header(self) -> pb.UploadMediaRequest:
        """The first message."""
        header = pb.UploadHeader(
            upload_id=self.upload_id,
            filename=self._name,
            size=self._size,
            sha256=self._sha256,
            offset=self._offset,
            submit=self._submit,
        )
        return pb.UploadMediaRequest(header=header)

    @property
    def _name(self) -> str:
        return self.path.name.encode(errors="replace").decode()[:255]

    def messages(self, wanted: Callable[[], bool]) -> Iterator[pb.UploadMediaRequest]:
        """The header, and if they are wanted the bytes from where the server stands."""
        yield self.header()
        if wanted():
            yield from self.chunks()

    def chunks(self) -> Generator[pb.UploadMediaRequest]:
        """The bytes from where the server stands. What cannot be read is told by `lost`."""
        sent = self._offset
        try:
            with self.path.open("rb", buffering=0) as file:
                file.seek(sent)
                while sent < self._size:
                    chunk = file.read(min(CHUNK_BYTES, self._size - sent))
                    if not chunk:
                        return
                    yield pb.UploadMediaRequest(chunk=chunk)
                    sent += len(chunk)
                    self._tell(sent)
        except OSError as error:
            self._unreadable = error
            raise

    def done(self) -> None:
        """All has arrived, or was there before."""
        self._tell(self._size)

    def stands(self, upload: Upload | None) -> None:
        """Where the server has the upload; None is nowhere."""
        offset = 0 if upload is None else upload.offset
        if offset > self._offset:
            self._patience.answered()
        self._offset = offset

    def lost(self, error: HarkenError, now: float) -> float:
        """The pause in seconds before the next call.

        Raises what cannot be waited out, and the error when the time without an answer is over.
        """
        if self._unreadable is not None:
            raise self._cannot_be_read(self._unreadable) from self._unreadable
        if isinstance(error, RequestRefused) and error.reason == "OFFSET_MISMATCH":
            self._mismatches += 1
            if self._mismatches > MOST_MISMATCHES:
                raise error
            return 0.0
        if isinstance(error, NotFound) and self._offset:
            return 0.0  # it has expired meanwhile: from the start
        pause = self._patience.lost(error, now)
        self._mismatches = 0
        return pause

    def _tell(self, sent: int) -> None:
        if self._on_progress is not None:
            self._on_progress(sent, self._size)

    def _cannot_be_read(self, error: OSError) -> InvalidRequest:
        return InvalidRequest(
            f"{str(self.path)!r} cannot be read: {error.strerror}.", reason="FILE_UNREADABLE"
        )


def is_wanted(metadata: Any) -> bool:
    """Whether the server's initial metadata say that the bytes are wanted."""
    found: dict[str, Any] = dict(metadata or {})
    return found.get(GO_AHEAD[0]) == GO_AHEAD[1]


def may_be_sent(path: Any) -> bool:
    """Whether a path names a file here that can be read."""
    return os.path.isfile(path) and os.access(path, os.R_OK)


def without_source(
    request: job_service_pb2.SubmitAnalysisRequest,
) -> job_service_pb2.SubmitAnalysisRequest:
    """The request for a file that is sent with it."""
    submit = job_service_pb2.SubmitAnalysisRequest()
    submit.CopyFrom(request)
    submit.ClearField("source")
    return submit
