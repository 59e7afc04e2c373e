"""A filter as plain JSON values, for the `spec` of jobs that are about other jobs."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from harken.jobs.job import JobKind
from harken.jobs.queries import JobFilter
from harken.jobs.state import JobState


def filter_to_spec(where: JobFilter) -> dict[str, Any]:
    """The filter's plain values."""
    return {
        "batch_id": where.batch_id,
        "states": [state.value for state in where.states],
        "labels": dict(where.labels),
        "ended_after": where.ended_after and where.ended_after.isoformat(),
        "ended_before": where.ended_before and where.ended_before.isoformat(),
    }


def filter_from_spec(spec: Mapping[str, Any]) -> JobFilter:
    """The filter that plain values describe, of analyses alone."""
    return JobFilter(
        batch_id=spec["batch_id"],
        states=tuple(JobState(state) for state in spec["states"]),
        labels=spec["labels"],
        ended_after=_time(spec["ended_after"]),
        ended_before=_time(spec["ended_before"]),
        kinds=(JobKind.ANALYSIS,),
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
