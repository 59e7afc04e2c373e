"""Batches: jobs that are submitted together and counted by their states."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from os import PathLike

from harken.client.enums import Feature
from harken.client.frozen_map import FrozenMap
from harken.client.job import Source
from harken.client.options import Options


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A batch as the server counted it at one moment."""

    batch_id: str = ""
    total: int = 0
    """Number of jobs: the items that were accepted."""
    queued: int = 0
    running: int = 0
    """Jobs that a worker is on, those being cancelled too."""
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0
    create_time: datetime | None = None
    end_time: datetime | None = None
    """When its last job became terminal; None before."""

    @property
    def ended(self) -> int:
        """Jobs that have ended, in whatever way."""
        return self.succeeded + self.failed + self.cancelled

    @property
    def is_terminal(self) -> bool:
        """Whether all of its jobs have ended."""
        return self.end_time is not None


@dataclass(frozen=True, kw_only=True)
class BatchItem:
    """A file of a batch that has features, options, labels or a request_id of its own."""

    source: str | PathLike[str] | Source
    features: Iterable[Feature | str] | None = None
    """None means what the batch says."""
    options: Options | None = None
    """None, without features of its own, means what the batch says."""
    labels: Mapping[str, str] = FrozenMap()
    request_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class FailedItem:
    """An item of a batch that was not accepted."""

    index: int = 0
    """Its place among the items, from 0."""
    reason: str = ""
    """For programs, such as "SOURCE_NOT_FOUND"."""
    message: str = ""
    """What is wrong and what to do, for people."""
