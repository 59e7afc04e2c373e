"""Files that were sent, and files that jobs made."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from harken.client.enums import UploadState

UploadWhen = Literal["auto", "always", "never"]
"""When a file of this machine is sent itself: where the server cannot see it, always, or never."""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file that was sent, or is being sent, to be analysed."""

    upload_id: str = ""
    state: UploadState = UploadState.UNKNOWN
    filename: str = ""
    offset: int = 0
    """Bytes that have arrived and are durable."""
    size: int | None = None
    sha256: str | None = None
    """In 64 hexadecimal digits."""
    create_time: datetime | None = None
    expire_time: datetime | None = None
    """When it is deleted, unless it is submitted before."""


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A file that a job made; kept for as long as its job."""

    artifact_id: str = ""
    job_id: str = ""
    name: str = ""
    media_type: str = ""
    """Such as "text/csv"."""
    size: int = 0
    sha256: str = ""
    """In 64 hexadecimal digits."""
    create_time: datetime | None = None
