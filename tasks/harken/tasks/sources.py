"""The source of a job as an open file: each kind has its way, and adding one is a line in `SOURCES`."""

from collections.abc import Callable, Mapping
from io import FileIO
from typing import Final

from harken.jobs.job import Job
from harken.media import MediaRoots
from harken.settings import Settings

# How far the opening is, as a share, and in words.
OnFetched = Callable[[float, str], None]


def open_source(settings: Settings, job: Job, on_fetched: OnFetched) -> FileIO:
    """The file of a job, to be read from its start and closed by the caller.

    Raises SourceError for what is wrong with the source itself, OSError for what may be right another time, and
    whatever `on_fetched` raises.
    """
    return SOURCES[job.source.kind](settings, job, on_fetched)


def _path(settings: Settings, job: Job, _: OnFetched) -> FileIO:
    return MediaRoots(settings.media_roots).open(job.source.value)


SOURCES: Final[Mapping[str, Callable[[Settings, Job, OnFetched], FileIO]]] = {"path": _path}
