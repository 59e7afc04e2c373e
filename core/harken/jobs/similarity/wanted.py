"""What a search wants, and what it finds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import Connection

from harken.jobs.similarity.sound_class import SoundClass

DIMENSIONS = 128

# A tonic and a mode, such as ("A", "minor").
Key = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class SoundFilter:
    """Which sounds are searched; an empty field means any. Bounds are part of their ranges."""

    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    batch_id: str | None = None
    tempo_bpm: tuple[float | None, float | None] = (None, None)
    duration_s: tuple[float | None, float | None] = (None, None)
    keys: frozenset[Key] = frozenset()
    classes: frozenset[SoundClass] = frozenset()

    @property
    def of_jobs(self) -> bool:
        """Whether it asks for something that stands with the jobs themselves."""
        return bool(self.labels) or self.batch_id is not None


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A search: a vector of unit length, among one owner's of the same model."""

    owner: str
    model: str
    vector: tuple[float, ...]
    where: SoundFilter = SoundFilter()


@dataclass(frozen=True, kw_only=True, slots=True)
class Neighbour:
    """A job whose sound is like what was searched for; `similarity` is the cosine."""

    job_id: str
    similarity: float
    digest: int

    @property
    def order(self) -> tuple[float, str]:
        """What neighbours are sorted by: the likest first, of equal ones the newest."""
        return (self.similarity, self.job_id)


class Search(Protocol):
    """A way to find the nearest vectors."""

    def nearest(self, connection: Connection, wanted: Wanted, limit: int) -> list[Neighbour]:
        """The `limit` nearest, the likest first; fewer where there are no more."""
        ...


def as_unit(vector: Any) -> tuple[float, ...]:
    """The vector, of unit length."""
    length = sum(value * value for value in vector) ** 0.5
    return tuple(value / length for value in vector)
