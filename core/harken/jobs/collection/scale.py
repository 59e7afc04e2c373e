"""How a number is counted: in the bins that people see, and in finer cells from which quartiles are read."""

import math
from bisect import bisect_right
from dataclasses import dataclass

# Beyond so many cells from 0 values count as those at the end: memory is bounded whatever comes.
MOST_CELLS = 20_000


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Bins between `edges`, open at both ends, and cells of `step`, with `ratio` of that part of the value."""

    edges: tuple[float, ...]
    step: float
    ratio: bool = False

    def bin_of(self, value: float) -> int:
        """The bin that a value falls into: 0 is below the first edge."""
        return bisect_right(self.edges, value)

    def cell_of(self, value: float) -> int:
        """The cell that a value falls into."""
        if self.ratio:
            place = math.log(value) / math.log1p(self.step) if value > 0 else -MOST_CELLS
        else:
            place = value / self.step
        return math.floor(max(-MOST_CELLS, min(place, MOST_CELLS)))

    def middle_of(self, cell: int) -> float:
        """The value that stands for a cell: half a step from all of its values at most."""
        if not self.ratio:
            return (cell + 0.5) * self.step
        return 0.0 if cell == -MOST_CELLS else math.exp((cell + 0.5) * math.log1p(self.step))
