"""What one report of progress costs the work, while the reporter's thread publishes to a real Redis."""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks.engine.report import Section, at_most
from benchmarks.service import parts
from harken.settings import Settings
from harken.tasks.app import make_app
from harken.tasks.progress import ProgressReporter, Tick

AT_MOST_US: Final = 2.0
PARTS: Final = 5  # of a round


def measure(*, rounds: int, calls: int) -> Section:
    """The median of all rounds, the loop around the calls taken off."""
    with (
        tempfile.TemporaryDirectory(prefix="harken-bench-") as name,
        parts.redis(Path(name)) as (_, broker),
    ):
        app = make_app(Settings(broker_url=broker))
        published: list[int] = []

        def publish(tick: Tick, seq: int) -> None:
            meta = {"attempt": 1, "seq": seq, "stage": tick.stage, "fraction": tick.fraction}
            app.backend.store_result("0197c0de-0000-7000-8000-000000000000", meta, "PROGRESS")
            published.append(seq)

        with ProgressReporter(publish, lambda: False) as reporter:
            costs = [_cost_us(reporter, calls) for _ in range(rounds)]
        app.close()
    cost_us = statistics.median(costs)
    return Section(
        part="progress",
        title=f"{calls:,} reports of progress, {rounds} times",
        columns=("", "µs", "published"),
        rows=(("one report", f"{cost_us:.2f}", f"{len(published):,}"),),
        targets=(at_most("one report", cost_us, AT_MOST_US, "µs"),),
        notes=("What the thread takes from the work, where it publishes, is in it.",),
    )


def _cost_us(reporter: ProgressReporter, calls: int) -> float:
    """Of both loops the median of some parts in turn: what stops one part does not count."""
    spent: tuple[list[float], list[float]] = ([], [])
    for _ in range(PARTS):
        for report, parts_us in zip((reporter.report, _nothing), spent, strict=True):
            parts_us.append(_us_each(report, calls // PARTS))
    return statistics.median(spent[0]) - statistics.median(spent[1])


def _us_each(report: Callable[[str, float, str], None], calls: int) -> float:
    begun = time.perf_counter()
    for number in range(calls):
        report("decode", number / calls, "half")
    return (time.perf_counter() - begun) / calls * 1e6


def _nothing(_stage: str, _fraction: float, _message: str) -> None:
    """A call that does nothing."""
