"""What a report is to be about."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from harken.jobs.filter_spec import filter_from_spec, filter_to_spec
from harken.jobs.queries import JobFilter


@dataclass(frozen=True, kw_only=True)
class Report:
    """Which analyses, and under which title; an empty one has the filter for its title."""

    where: JobFilter
    title: str = ""

    def to_spec(self) -> dict[str, Any]:
        """Plain JSON values, for the job's `spec`."""
        return {"title": self.title, **filter_to_spec(self.where)}

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> Self:
        """The report that a job's `spec` describes."""
        return cls(where=filter_from_spec(spec), title=spec["title"])
