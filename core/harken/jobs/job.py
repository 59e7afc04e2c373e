"""The values of the job domain."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from harken.jobs.state import JobState

DEFAULT_PRIORITY = 5


class JobKind(StrEnum):
    """What kind of work a job is; the values name its Celery task too."""

    ANALYSIS = "analysis"
    EXPORT = "export"
    OWNER_EXPORT = "owner_export"
    OWNER_ERASE = "owner_erase"
    REPORT = "report"


# What only an administrator may ask for, run once more, or have the files of: it is about all owners alike.
OF_ADMINISTRATORS = frozenset({JobKind.OWNER_EXPORT, JobKind.OWNER_ERASE})


class ErrorKind(StrEnum):
    """Who has to do something about a failure."""

    INPUT = "INPUT"
    TRANSIENT = "TRANSIENT"
    TIMEOUT = "TIMEOUT"
    CRASHED = "CRASHED"
    INTERNAL = "INTERNAL"


@dataclass(frozen=True, kw_only=True)
class JobError:
    """Why a job failed: `reason` is for programs, `message` for people."""

    kind: ErrorKind
    reason: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where the bytes come from: `kind` names the field of the contract's oneof, `value` what it holds."""

    kind: str
    value: str


# Of jobs that are no analysis.
NO_SOURCE = Source(kind="", value="")


@dataclass(frozen=True, kw_only=True)
class NewJob:
    """What is known of a job before it has an id."""

    source: Source
    features: tuple[str, ...]
    queue: str
    priority: int = DEFAULT_PRIORITY
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    request_id: str | None = None
    schedule_timeout: timedelta | None = None
    run_timeout: timedelta | None = None
    retry_of: str | None = None
    trace_parent: str | None = None
    kind: JobKind = JobKind.ANALYSIS
    # What else is to be done: of an analysis the options of its features (`options`); plain JSON values.
    spec: Mapping[str, Any] | None = None
    skip_cache: bool = False
    # What the file of an upload was called.
    filename: str | None = None


@dataclass(frozen=True, kw_only=True)
class RefusedItem:
    """An item of a batch that was not accepted."""

    index: int
    reason: str
    message: str


@dataclass(frozen=True, kw_only=True)
class NewBatch:
    """What is known of a batch before it has an id: its acceptable items with their indices, and the others."""

    items: tuple[tuple[int, NewJob], ...]
    refused: tuple[RefusedItem, ...] = ()
    request_id: str | None = None
    request_hash: str = ""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job as the store has it."""

    job_id: str
    owner: str
    batch_id: str | None
    state: JobState
    revision: int
    attempt: int
    crashes: int
    retries: int
    priority: int
    queue: str
    source: Source
    features: tuple[str, ...]
    labels: Mapping[str, str]
    error: JobError | None
    worker: str | None
    create_time: datetime
    start_time: datetime | None
    end_time: datetime | None
    stopped_time: datetime | None
    schedule_deadline: datetime | None
    # How long an attempt may take; None for as long as the worker's own limits allow.
    run_timeout: timedelta | None = None
    retry_of: str | None = None
    kind: JobKind = JobKind.ANALYSIS
    spec: Mapping[str, Any] | None = None
    # Whether it is to be run even where a result is known to hold for it.
    skip_cache: bool = False
    # The job that found what this one has as its result.
    cached_from: str | None = None
    # What the file of an upload was called.
    filename: str | None = None

    @property
    def schedule_timeout(self) -> timedelta | None:
        """How long it may wait for its first worker; None for ever."""
        return self.schedule_deadline - self.create_time if self.schedule_deadline else None


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A batch, counted; those being cancelled count as running."""

    batch_id: str
    total: int
    queued: int
    running: int
    succeeded: int
    failed: int
    cancelled: int
    create_time: datetime
    end_time: datetime | None
    refused: tuple[RefusedItem, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether all its jobs are terminal."""
        return self.queued == 0 and self.running == 0


@dataclass(frozen=True, kw_only=True)
class Transition:
    """A row of the transition log; `position` is its place there."""

    position: int
    job_id: str
    batch_id: str | None
    revision: int
    attempt: int
    before: JobState | None
    after: JobState
    error: JobError | None
    time: datetime
