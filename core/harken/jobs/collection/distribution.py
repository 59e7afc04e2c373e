"""A number of many results, counted as it comes; what is kept does not grow with how many there are."""

import math
from typing import Any

from harken.jobs.collection.scale import Scale


class Distribution:
    """Counts, extremes, mean and histogram of a number, and its quartiles to within half a step of the scale."""

    def __init__(self, scale: Scale) -> None:
        self._scale = scale
        self._bins = [0] * (len(scale.edges) + 1)
        self._seconds = [0.0] * (len(scale.edges) + 1)
        self._cells: dict[int, int] = {}
        self._count = 0
        self._none = 0
        self._mean = 0.0
        self._minimum = math.inf
        self._maximum = -math.inf

    def add(self, value: Any, duration_s: float) -> None:
        """Counts a value; what is no finite number counts as none."""
        if not isinstance(value, int | float) or not math.isfinite(value):
            self._none += 1
            return
        place, cell = self._scale.bin_of(value), self._scale.cell_of(value)
        self._bins[place] += 1
        self._seconds[place] += duration_s
        self._cells[cell] = self._cells.get(cell, 0) + 1
        self._count += 1
        self._mean += value / self._count - self._mean / self._count
        if value < self._minimum:
            self._minimum = value
        if value > self._maximum:
            self._maximum = value

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values under the contract's names."""
        edges = self._scale.edges
        found: dict[str, Any] = {
            "count": self._count,
            "none_count": self._none,
            "quartile_step": self._scale.step,
            "quartile_step_relative": self._scale.ratio,
        }
        if self._count:
            found |= {
                "minimum": self._minimum,
                "lower_quartile": self._quantile(0.25),
                "median": self._quantile(0.5),
                "upper_quartile": self._quantile(0.75),
                "maximum": self._maximum,
                "mean": self._mean,
            }
        found["bins"] = [
            {
                **({"low": low} if low is not None else {}),
                **({"high": high} if high is not None else {}),
                "count": count,
                "duration_s": seconds,
            }
            for low, high, count, seconds in zip(
                (None, *edges), (*edges, None), self._bins, self._seconds, strict=True
            )
        ]
        return found

    def _quantile(self, share: float) -> float:
        """The value of which that share, as a count rounded up, is not above."""
        wanted = max(math.ceil(share * self._count), 1)
        for cell in sorted(self._cells):
            wanted -= self._cells[cell]
            if wanted <= 0:
                middle = self._scale.middle_of(cell)
                return min(max(middle, self._minimum), self._maximum)
        raise AssertionError("the cells hold all values")
