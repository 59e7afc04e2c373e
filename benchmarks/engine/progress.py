"""What reports of progress cost, and the longest work between two: so long may a cancel go unseen."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.engine.contender import Contender
from benchmarks.engine.report import Section, at_most

COST_PERCENT: Final = 1.0
GAP_MS: Final = 100.0
BUDGET_S: Final = 30.0  # CPU seconds of pairs: one pair says nothing of a percent
LEAST_PAIRS: Final = 15
MOST_PAIRS: Final = 60
OF_A_MEDIAN: Final = 1.25  # times that of a mean: the standard error, were the differences normal


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What reports cost, as shares of the work, and how many runs that comes from."""

    share: float
    standard_error: float
    pairs: int
    reports: int


def measure(watched: Path, files: Mapping[str, Path], *, rounds: int, pairs: int | None) -> Section:
    """The cost of reports on `watched`, and the gaps between them on each of `files`.

    `pairs` of runs with and without a callback are made; None for as many as a percent needs.
    """
    with Contender("harken, watched and not") as harken:
        cost = _cost(harken, watched, pairs)
        gaps = {name: _gap(harken, path, rounds) for name, path in files.items()}
    return Section(
        part="progress",
        title="the longest CPU time without a report",
        columns=("", "ms", "from the report"),
        rows=tuple((name, f"{1000 * gap:.1f}", where) for name, (gap, where) in gaps.items()),
        targets=(
            at_most("cost of reports", 100 * cost.share, COST_PERCENT, "%"),
            *(
                at_most(f"longest gap, {name}", 1000 * gap, GAP_MS, "ms")
                for name, (gap, _) in gaps.items()
            ),
        ),
        notes=(
            f"cost: median of {cost.pairs} pairs with and without a callback, "
            f"± {100 * cost.standard_error:.1f} %; reports a run: {cost.reports}",
            f"gaps: medians, from the call to the result; rounds: {rounds}",
        ),
    )


def _cost(harken: Contender, path: Path, pairs: int | None) -> Cost:
    warm = harken.run(path)
    pairs = pairs or round(min(max(BUDGET_S / float(warm["cpu_s"]), LEAST_PAIRS), MOST_PAIRS))
    runs = [harken.run(path) for _ in range(pairs)]
    silent_s = statistics.median(float(run["silent_s"]) for run in runs)
    extra = [float(run["watched_s"]) - float(run["silent_s"]) for run in runs]
    return Cost(
        share=statistics.median(extra) / silent_s,
        standard_error=OF_A_MEDIAN * statistics.stdev(extra) / pairs**0.5 / silent_s,
        pairs=pairs,
        reports=int(warm["reports"]),
    )


def _gap(harken: Contender, path: Path, rounds: int) -> tuple[float, str]:
    runs = [harken.run(path) for _ in range(rounds)]
    ranked = sorted(runs, key=lambda run: float(run["gap_s"]))
    middle = ranked[len(ranked) // 2]
    return float(middle["gap_s"]), str(middle["where"])
