"""A file that a job makes: written straight into the storage, and the job's own once the attempt ends well."""

import io
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from sqlalchemy import Connection

from harken.jobs import clock
from harken.jobs.files import artifacts
from harken.jobs.store.system import system_id
from harken.tasks.work import Work

if TYPE_CHECKING:
    from harken.media.blob_writer import BlobWriter

# Writers of archives hand over a few bytes at a time, which a storage takes badly.
BUFFER_BYTES = 1_000_000


class _Sink(io.RawIOBase):
    """A blob's writer as a file that can only be appended to."""

    def __init__(self, writer: "BlobWriter") -> None:
        self._writer = writer

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, data: Any, /) -> int:
        """Appends bytes."""
        return self._writer.write(memoryview(data).cast("B"))

    def tell(self) -> int:
        """How many bytes were written."""
        return self._writer.size


@dataclass(frozen=True, kw_only=True)
class NewArtifact:
    """An artifact that is being written: into `file`, from the beginning to the end."""

    file: BinaryIO
    name: str
    media_type: str
    work: Work
    writer: "BlobWriter"

    def finish(self) -> Callable[[Connection], object]:
        """Makes the bytes durable; returns the write that makes them the job's, for the one that ends the attempt."""
        self.file.flush()
        content = self.writer.finish()
        job = self.work.job
        return lambda c: artifacts.keep(
            c,
            job.job_id,
            job.attempt,
            content,
            name=self.name,
            media_type=self.media_type,
            now=clock.now(c),
        )


@contextmanager
def new_artifact(work: Work, *, name: str, media_type: str) -> Generator[NewArtifact]:
    """An artifact to write; without `finish` nothing of it stays."""
    from harken.media.storage import Storage  # what forks must not have used the library before

    storage = Storage(work.settings.storage_url, system=work.read(system_id))
    with storage.new(work.job.owner) as writer:
        file = io.BufferedWriter(_Sink(writer), BUFFER_BYTES)
        yield NewArtifact(
            file=cast(BinaryIO, file), name=name, media_type=media_type, work=work, writer=writer
        )
