"""Fetching an artifact over as many calls as it takes, into a file that is whole or not there.

No calls here: the sync and the asyncio client hold them and the pause.
"""

import hashlib
import os
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from harken.client.convert import decode
from harken.client.errors import HarkenError, ServerError
from harken.client.reconnect import Patience, Reconnect
from harken.client.sending import OnProgress
from harken.client.upload import Artifact
from harken.v1 import media_service_pb2 as pb


class Fetching:
    """The state of one download, over all of its calls; left before its end, it leaves nothing."""

    def __init__(
        self,
        artifact_id: str,
        to: str | os.PathLike[str],
        *,
        reconnect: Reconnect,
        on_progress: OnProgress | None = None,
    ) -> None:
        self._artifact_id = artifact_id
        self._to = Path(to)
        self._patience = Patience(reconnect)
        self._on_progress = on_progress
        self._artifact: Artifact | None = None
        self._hash = hashlib.sha256()
        self._offset = 0
        folder = self._to if self._to.is_dir() else self._to.parent
        # In the folder where it will be: to be put in its place is one step then.
        self._part = folder / f".harken-{uuid4().hex}"
        self._file = self._part.open("xb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        self._part.unlink(missing_ok=True)

    def request(self) -> pb.DownloadArtifactRequest:
        """The request for what is missing."""
        return pb.DownloadArtifactRequest(artifact_id=self._artifact_id, offset=self._offset)

    def take(self, message: pb.DownloadArtifactResponse) -> None:
        """Keeps what a message brings."""
        if message.HasField("artifact"):
            self._artifact = decode(Artifact, message.artifact)
        if message.chunk:
            self._file.write(message.chunk)
            self._hash.update(message.chunk)
            self._offset += len(message.chunk)
            self._patience.answered()
        if self._on_progress is not None and self._artifact is not None:
            self._on_progress(self._offset, self._artifact.size)

    def lost(self, error: HarkenError, now: float) -> float:
        """The pause in seconds before the next call; raises what cannot be waited out."""
        return self._patience.lost(error, now)

    def done(self) -> Path:
        """Puts the file in its place. Raises ServerError when it is not what it should be."""
        artifact = self._artifact
        if artifact is None or self._hash.hexdigest() != artifact.sha256:
            raise ServerError(
                "What came is not the artifact: its SHA-256 differs. Download it again.",
                reason="SHA256_MISMATCH",
            )
        place = self._to / _name(artifact) if self._to.is_dir() else self._to
        self._file.close()
        self._part.replace(place)
        return place


def _name(artifact: Artifact) -> str:
    """The artifact's name as that of a file; of what a server says only the last part can be meant."""
    name = artifact.name.replace("\\", "/").rpartition("/")[2]
    return artifact.artifact_id if name in ("", ".", "..") else name
