"""The source of a job as an open file: each kind has its way, and adding one is a line in `_KINDS`."""

from collections.abc import Callable, Mapping
from io import FileIO
from posixpath import basename
from typing import Final, NamedTuple
from urllib.parse import unquote

from harken.jobs.job import Source
from harken.media import MediaRoots
from harken.media.source_rules import SourceRules
from harken.media.uri import HTTPS, parse_uri
from harken.settings import Settings

# Bytes that a file of unknown size is taken to bring yet: its share grows with what is here, and stays below 1.
STILL_TO_COME: Final = 20_000_000

OnFetched = Callable[[float, str], None]
"""Is told how much of a file is here, as a share and in words; what it raises ends the fetching."""


class OpenSource(NamedTuple):
    """A file to read from its start and to close, and a name whose extension says what it may be."""

    name: str
    file: FileIO


def open_source(settings: Settings, source: Source, on_fetched: OnFetched) -> OpenSource:
    """The file of a job.

    Raises SourceError for what is wrong with the source itself, OSError for what may be right another time, and
    whatever `on_fetched` raises.
    """
    return _KINDS[source.kind](settings, source.value, on_fetched)


def shown(source: Source) -> str:
    """What may be logged of a source: the query of an address may hold a signature."""
    return parse_uri(source.value).shown if source.kind == "uri" else source.value


def _path(settings: Settings, value: str, _: OnFetched) -> OpenSource:
    return OpenSource(value, MediaRoots(settings.media_roots).open(value))


def _uri(settings: Settings, value: str, on_fetched: OnFetched) -> OpenSource:
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

    file = Sources(rules).fetch(value, limits, on_bytes)
    uri = parse_uri(value)
    name = basename(unquote(uri.path) if uri.scheme == HTTPS else uri.path)
    return OpenSource(name, file)


_KINDS: Final[Mapping[str, Callable[[Settings, str, OnFetched], OpenSource]]] = {
    "path": _path,
    "uri": _uri,
}
