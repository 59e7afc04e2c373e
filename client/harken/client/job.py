"""A job: one file to analyse, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from harken.client.analysis_result import AnalysisResult
from harken.client.enums import ErrorKind, Feature, JobKind, JobState
from harken.client.frozen_map import FrozenMap
from harken.client.options import Options
from harken.client.upload import Artifact

BUCKETS = ("s3://", "gs://", "az://")
URIS = ("https://", *BUCKETS)
"""How the address of a source begins that is fetched."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where the bytes to analyse come from."""

    path: str | None = None
    """A file below one of the server's media roots: an absolute path, or one relative to a root."""
    upload_id: str | None = None
    """A file that was sent: the id of an upload that is complete."""
    uri: str | None = None
    """A file that a worker fetches, such as https://host/song.flac or s3://bucket/song.flac."""

    def __str__(self) -> str:
        """Where it is; of an address without the query, which may hold a signature."""
        return self.path or self.upload_id or (self.uri or "").partition("?")[0]


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far an attempt is. Within an attempt the fraction never falls."""

    stage: str = ""
    """What is being done, such as "decode" or "rhythm"."""
    fraction: float = 0.0
    """Share of the whole job that is done, 0 to 1."""
    message: str = ""
    """For people, such as "61 of 180 s"."""

    def __str__(self) -> str:
        return f"{self.fraction:4.0%} {self.stage} {self.message}".rstrip()


@dataclass(frozen=True, kw_only=True)
class JobError:
    """Why a job failed."""

    kind: ErrorKind = ErrorKind.UNKNOWN
    reason: str = ""
    """For programs, such as "NO_AUDIO_STREAM"."""
    message: str = ""
    """What is wrong and what to do, for people."""

    def __str__(self) -> str:
        return f"{self.message} ({self.kind}, {self.reason})"


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job as the server described it at one moment."""

    job_id: str = ""
    batch_id: str | None = None
    state: JobState = JobState.UNKNOWN
    revision: int = 0
    """Rises by one with each change of state, from 1."""
    attempt: int = 0
    """How often a worker has taken it."""
    priority: int = 0
    """0 to 9, 9 the most urgent."""
    source: Source | None = None
    features: tuple[Feature, ...] = ()
    labels: Mapping[str, str] = FrozenMap()
    progress: Progress | None = None
    """Set while it runs."""
    error: JobError | None = None
    """Set when FAILED, and on a job that waits to be retried."""
    result: AnalysisResult | None = None
    """Set when SUCCEEDED, and only by `get_job`, `wait` and `result`."""
    create_time: datetime | None = None
    start_time: datetime | None = None
    """When a worker first took it."""
    end_time: datetime | None = None
    """When it became terminal."""
    stopped_time: datetime | None = None
    """When a cancelled job's work had really stopped."""
    worker: str | None = None
    """Name of the worker that has or had it last."""
    schedule_timeout: timedelta | None = None
    """How long it may wait for its first worker."""
    run_timeout: timedelta | None = None
    """How long an attempt may take; None for as long as the workers' own limit allows."""
    retry_of: str | None = None
    """The job that this one runs again."""
    kind: JobKind = JobKind.UNKNOWN
    cached_result: bool = False
    """Whether its result was found by an earlier job, for the same unchanged file, features, options."""
    artifacts: tuple[Artifact, ...] = ()
    """The files that it made, the first 100; only by `get_job` and `wait`."""
    options: Options | None = None
    """How the features are computed that leave a choice."""

    @property
    def path(self) -> str | None:
        """The path of its source, if that is one."""
        return self.source.path if self.source else None

    @property
    def place(self) -> str:
        """Where its source is, for people; empty when that is not known."""
        return str(self.source or "")

    @property
    def run_time(self) -> timedelta | None:
        """How long it took from the first worker to the end, retries and their pauses included."""
        if self.start_time is None or self.end_time is None:
            return None
        return self.end_time - self.start_time
