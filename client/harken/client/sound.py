"""Sounds as a search finds them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from harken.client.enums import SoundClass
from harken.client.frozen_map import FrozenMap
from harken.client.job import Source


@dataclass(frozen=True, kw_only=True)
class SimilarSound:
    """A job's sound, and how like it is to another one."""

    job_id: str = ""
    similarity: float = 0.0
    """Cosine of the angle between the vectors: 1 is the same, 0 nothing in common."""
    source: Source | None = None
    labels: Mapping[str, str] = FrozenMap()
    tempo_bpm: float | None = None
    key: str | None = None
    mode: str | None = None
    duration_s: float | None = None
    sound_class: SoundClass = SoundClass.UNKNOWN
    create_time: datetime | None = None
    """When the job was accepted."""


@dataclass(frozen=True, kw_only=True)
class DuplicateSound:
    """A sound of a group of the same recording."""

    sound: SimilarSound | None = None
    """Its similarity is that to the first of the group."""
    bit_error_rate: float = 0.0
    """Share of the fingerprint's bits that differ: 0 is the same, 0.5 another recording."""
    offset_s: float = 0.0
    """How much later it begins than the one it was found by; negative where its beginning is cut off."""


@dataclass(frozen=True, kw_only=True)
class DuplicateGroup:
    """Sounds that are the same recording, two or more, the oldest job first."""

    sounds: tuple[DuplicateSound, ...] = ()
