"""The source of a job as an open file: each kind has its way, and adding one is a line in `_KINDS`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import FileIO
from posixpath import basename
from typing import Final
from urllib.parse import unquote

from harken.jobs.files.blobs import StoredBytes
from harken.jobs.files.upload_sources import UPLOAD
from harken.jobs.job import Job, Source
from harken.media import MediaRoots, SourceNotFound
from harken.media.source_rules import SourceRules
from harken.media.storage import Storage
from harken.media.storage_errors import BlobMissing
from harken.media.uri import HTTPS, parse_uri
from harken.settings import Settings

# The other kinds of sources, by the contract's names: a file below a media root, and one that is fetched.
PATH: Final = "path"
URI: Final = "uri"

# Bytes that a file of unknown size is taken to bring yet: its share grows with what is here, and stays below 1.
STILL_TO_COME: Final = 20_000_000

OnFetched = Callable[[float, str], None]
"""Is told how much of a file is here, as a share and in words; what it raises ends the fetching."""


@dataclass(frozen=True, kw_only=True)
class OpenSource:
    """A file to read from its start and to close, and a name whose extension says what it may be.

    `sha256` is that of its bytes, in hexadecimal digits, where they have passed through here.
    """

    name: str
    file: FileIO
    sha256: str | None = None


def open_source(
    settings: Settings, job: Job, on_fetched: OnFetched, uploaded: StoredBytes | None = None
) -> OpenSource:
    """The file of a job; `uploaded` are the bytes of an upload.

    Raises SourceError for what is wrong with the source itself, OSError for what may be right another time, and
    whatever `on_fetched` raises.
    """
    if job.source.kind == UPLOAD:
        return _upload(settings, job, on_fetched, uploaded)
    return _KINDS[job.source.kind](settings, job, on_fetched)


def shown(source: Source) -> str:
    """What may be logged of a source: the query of an address may hold a signature."""
    return parse_uri(source.value).shown if source.kind == URI else source.value


def _path(settings: Settings, job: Job, _: OnFetched) -> OpenSource:
    path = job.source.value
    return OpenSource(name=path, file=MediaRoots(settings.media_roots).open(path))


def _uri(settings: Settings, job: Job, on_fetched: OnFetched) -> OpenSource:
    from harken.media.fetch import FetchLimits, Sources  # for the few jobs that need it

    rules = SourceRules.of(
        settings.source_entries, settings.allow_private_sources, settings.storage_url
    )
    limits = FetchLimits(
        largest_bytes=settings.max_fetch_mb * 1_000_000, longest_s=settings.fetch_timeout_s
    )

    def on_bytes(here: int, size: int | None) -> None:
        share = here / (size or here + STILL_TO_COME)
        of_all = f" of {size / 1e6:.1f}" if size else ""
        on_fetched(share, f"{here / 1e6:.1f}{of_all} MB")

    fetched = Sources(rules).fetch(job.source.value, limits, on_bytes)
    uri = parse_uri(job.source.value)
    name = basename(unquote(uri.path) if uri.scheme == HTTPS else uri.path)
    return OpenSource(name=name, file=fetched.file, sha256=fetched.sha256)


def _upload(
    settings: Settings, job: Job, on_fetched: OnFetched, uploaded: StoredBytes | None
) -> OpenSource:
    upload_id = job.source.value
    if uploaded is None:
        message = f"Upload {upload_id} is there no more. Upload the file again."
        raise SourceNotFound(upload_id, message)
    size = uploaded.size

    def on_block(done: int) -> None:
        on_fetched(done / size, f"{done:,} of {size:,} bytes")

    try:
        file = Storage(settings.storage_url).open(uploaded.key, size, on_block=on_block)
    except BlobMissing as error:
        message = (
            f"The bytes of upload {upload_id} are gone from the storage. Upload the file again."
        )
        raise SourceNotFound(upload_id, message) from error
    return OpenSource(name=upload_id, file=file, sha256=uploaded.sha256)


_KINDS: Final[Mapping[str, Callable[[Settings, Job, OnFetched], OpenSource]]] = {
    PATH: _path,
    URI: _uri,
}
