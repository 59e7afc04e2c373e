"""The statistics of a collection, row by row: all that is kept are counts."""

import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from sqlalchemy import Row

from harken.jobs.collection.breakdown import Breakdown
from harken.jobs.collection.distribution import Distribution
from harken.jobs.collection.extent import Extent
from harken.jobs.collection.measures import (
    DURATION,
    ERRORS,
    KEYS,
    MEASURES,
    MODE,
    PATHS,
    PROBLEMS,
    PROPERTIES,
    TONIC,
    TRUE_PEAK,
)
from harken.jobs.state import JobState

_PLACE = {path: place for place, path in enumerate(PATHS)}
_DURATION, _TRUE_PEAK = _PLACE[DURATION.path], _PLACE[TRUE_PEAK.path]
_TONIC, _MODE = _PLACE[TONIC], _PLACE[MODE]
_ERRORS, _PROBLEMS = _PLACE[ERRORS], _PLACE[PROBLEMS]
_ALL_KEYS = frozenset(KEYS)


class Statistics:
    """Counts rows."""

    def __init__(self) -> None:
        self.jobs = 0
        self._results = 0
        self._seconds = 0.0
        self._over = 0
        self._states = Breakdown()
        self._failures = Breakdown()
        self._feature_errors = Breakdown()
        self._problems = Breakdown()
        self._keys = Breakdown(KEYS)
        self._numbers = [
            (one.feature, _PLACE[one.path], Distribution(one.scale)) for one in MEASURES
        ]
        self._names = [(one.feature, _PLACE[one.path], Breakdown()) for one in PROPERTIES]

    def add(self, rows: Iterable[Row[Any]]) -> None:
        """Counts rows, as `rows.page` reads them."""
        for row in rows:
            self.jobs += 1
            values = json.loads(row.found) if row.found else None
            seconds = values[_DURATION] or 0.0 if values else 0.0
            self._states.add((row.state,), seconds)
            if row.state == JobState.FAILED:
                self._failures.add((f"{row.error_kind} {row.error_reason}",))
            if values:
                self._add_result(_features(row.features), values, seconds)

    def _add_result(self, asked: frozenset[str], values: list[Any], seconds: float) -> None:
        self._results += 1
        self._seconds += seconds
        errors = [(_feature_of(error), error.get("reason")) for error in values[_ERRORS] or ()]
        self._feature_errors.add((f"{feature} {reason}" for feature, reason in errors), seconds)
        computed = asked - {feature for feature, _ in errors} if errors else asked
        for feature, place, distribution in self._numbers:
            if feature in computed:
                distribution.add(values[place], seconds)
        for feature, place, breakdown in self._names:
            if feature in computed:
                breakdown.add((values[place],), seconds)
        if "tonal" in computed:
            key = f"{values[_TONIC]} {values[_MODE]}"
            self._keys.add((key,) if key in _ALL_KEYS else (), seconds)
        if "quality" in computed:
            self._problems.add((_kind_of(one) for one in values[_PROBLEMS] or ()), seconds)
        if "loudness" in computed and (values[_TRUE_PEAK] or 0.0) > 0.0:
            self._over += 1

    def to_dict(self, extent: Extent) -> dict[str, Any]:
        """Plain JSON values under the contract's names: CollectionStatistics."""
        distributions = (distribution.to_dict() for _, _, distribution in self._numbers)
        breakdowns = (breakdown.to_dict() for _, _, breakdown in self._names)
        return {
            "job_count": self.jobs,
            "result_count": self._results,
            "duration_s": self._seconds,
            **extent.to_dict(),
            "states": self._states.to_dict(),
            "failures": self._failures.to_dict(),
            "feature_errors": self._feature_errors.to_dict(),
            "quality_problems": self._problems.to_dict(),
            "keys": self._keys.to_dict(),
            **dict(zip((one.name for one in PROPERTIES), breakdowns, strict=True)),
            **dict(zip((one.name for one in MEASURES), distributions, strict=True)),
            "true_peak_over_count": self._over,
        }


@lru_cache(256)
def _features(text: str) -> frozenset[str]:
    return frozenset(json.loads(text))


def _feature_of(error: dict[str, Any]) -> str:
    return str(error.get("feature", "")).removeprefix("FEATURE_").lower()


def _kind_of(problem: Any) -> str | None:
    """The kind of a problem, in the contract's words without what all of them begin with."""
    kind = problem.get("kind") if isinstance(problem, dict) else problem
    return None if kind is None else str(kind).removeprefix("KIND_")
