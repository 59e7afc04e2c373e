"""The values of uploads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# Unless the call that receives it says in time that it is still there, another one may go on with an upload.
WRITER_LEASE = timedelta(seconds=10)


class UploadState(StrEnum):
    """Whether an upload can be submitted."""

    RECEIVING = "RECEIVING"
    COMPLETE = "COMPLETE"


@dataclass(frozen=True, kw_only=True)
class NewUpload:
    """What is announced of an upload; one that is `resumable` is kept when it breaks off."""

    upload_id: str
    filename: str
    size: int | None = None
    sha256: str | None = None
    resumable: bool = False


@dataclass(frozen=True, kw_only=True)
class Part:
    """A piece of an upload, under a key of the storage: `size` bytes of it are durable."""

    key: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Upload:
    """An upload: `received` bytes are durable; size and SHA-256 are those announced until it is complete."""

    upload_id: str
    owner: str
    state: UploadState
    filename: str
    received: int
    size: int | None
    sha256: str | None
    resumable: bool
    create_time: datetime
    expire_time: datetime


@dataclass(frozen=True, kw_only=True)
class Opened:
    """An upload that a call may receive, with its parts so far; `orphans` are keys of bytes that nobody needs."""

    upload: Upload
    parts: Sequence[Part] = ()
    orphans: Sequence[str] = ()
