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
LEAST_PAIRS: Final = 10  # each in both orders
ENOUGH: Final = 0.0025  # standard error, as a share of the work: a quarter of what is to be seen
BUDGET_S: Final = 60.0  # CPU seconds of pairs, on a machine too noisy for that
# Standard error of a median of n values: 1.25 σ/√n, σ being their interquartile range over 1.35.
STANDARD_ERROR: Final = 1.25 / 1.35
SURE: Final = 2.0  # standard errors away from the bound, or there is no verdict


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What reports cost, as shares of the work, and how many pairs of runs that comes from."""

    share: float
    standard_error: float
    pairs: int
    reports: int

    @property
    def percent(self) -> float | None:
        """The cost; None where noise hides on which side of the bound it lies."""
        unsure = SURE * self.standard_error
        return 100 * self.share if abs(self.share - COST_PERCENT / 100) > unsure else None


def measure(watched: Path, files: Mapping[str, Path], *, rounds: int, pairs: int | None) -> Section:
    """The cost of reports on `watched`, and the gaps between them on each of `files`.

    `pairs` of runs with and without a callback are made; None for as many as the bound needs.
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
            at_most("cost of reports", cost.percent, COST_PERCENT, "%"),
            *(
                at_most(f"longest gap, {name}", 1000 * gap, GAP_MS, "ms")
                for name, (gap, _) in gaps.items()
            ),
        ),
        notes=(
            f"cost: {100 * cost.share:.2f} ± {100 * cost.standard_error:.2f} %, the median of "
            f"{cost.pairs} pairs with and without a callback, in both orders; reports a run: {cost.reports}",
            *(("cost: not measured, the machine is too noisy",) if cost.percent is None else ()),
            f"gaps: medians, from the call to the result; rounds: {rounds}",
        ),
    )


def _cost(harken: Contender, path: Path, pairs: int | None) -> Cost:
    reports = int(harken.run(path)["reports"])
    silent: list[float] = []
    extra: list[float] = []
    error, spent = float("inf"), 0.0
    while len(extra) < (pairs or LEAST_PAIRS) or (
        pairs is None and error > ENOUGH and spent < BUDGET_S
    ):
        # Both orders make one value: the second of two finds other caches, and a median of values
        # around two centres lies at one of them.
        both = (harken.run(path), harken.run(path))
        silent.append(statistics.fmean(float(run["silent_s"]) for run in both))
        extra.append(statistics.fmean(float(run["watched_s"]) for run in both) - silent[-1])
        spent += sum(float(run["cpu_s"]) for run in both)
        if len(extra) > 1:
            low, _, high = statistics.quantiles(extra, n=4)
            of_one = (high - low) / statistics.median(silent)
            error = STANDARD_ERROR * of_one / len(extra) ** 0.5
    return Cost(
        share=statistics.median(extra) / statistics.median(silent),
        standard_error=error,
        pairs=len(extra),
        reports=reports,
    )


def _gap(harken: Contender, path: Path, rounds: int) -> tuple[float, str]:
    runs = [harken.run(path) for _ in range(rounds)]
    ranked = sorted(runs, key=lambda run: float(run["gap_s"]))
    middle = ranked[len(ranked) // 2]
    return float(middle["gap_s"]), str(middle["where"])
