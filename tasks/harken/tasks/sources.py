"""The source of a job as an open file: each kind has its way, and adding one is a line in `SOURCES`."""

from collections.abc import Callable, Mapping
from io import FileIO
from typing import Final

from harken.jobs.blobs import StoredBytes
from harken.jobs.job import Job
from harken.jobs.upload_sources import UPLOAD
from harken.media import MediaRoots, SourceNotFound
from harken.media.storage import Storage
from harken.media.storage_errors import BlobMissing
from harken.settings import Settings

PATH: Final = "path"  # the kind of a source that is a file below a media root

# How far the opening is, as a share, and in words.
OnFetched = Callable[[float, str], None]


def open_source(
    settings: Settings, job: Job, on_fetched: OnFetched, uploaded: StoredBytes | None = None
) -> FileIO:
    """The file of a job, to be read from its start and closed by the caller; `uploaded` are the bytes of an upload.

    Raises SourceError for what is wrong with the source itself, OSError for what may be right another time, and
    whatever `on_fetched` raises.
    """
    if job.source.kind == UPLOAD:
        return _upload(settings, job, on_fetched, uploaded)
    return SOURCES[job.source.kind](settings, job, on_fetched)


def _path(settings: Settings, job: Job, _: OnFetched) -> FileIO:
    return MediaRoots(settings.media_roots).open(job.source.value)


def _upload(
    settings: Settings, job: Job, on_fetched: OnFetched, uploaded: StoredBytes | None
) -> FileIO:
    upload_id = job.source.value
    if uploaded is None:
        message = f"Upload {upload_id} is there no more. Upload the file again."
        raise SourceNotFound(upload_id, message)
    size = uploaded.size

    def on_block(done: int) -> None:
        on_fetched(done / size, f"{done:,} of {size:,} bytes")

    try:
        return Storage(settings.storage_url).open(uploaded.key, size, on_block=on_block)
    except BlobMissing as error:
        message = (
            f"The bytes of upload {upload_id} are gone from the storage. Upload the file again."
        )
        raise SourceNotFound(upload_id, message) from error


SOURCES: Final[Mapping[str, Callable[[Settings, Job, OnFetched], FileIO]]] = {PATH: _path}
