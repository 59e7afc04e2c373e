"""What one report of progress costs the work, while the reporter's thread publishes to a real Redis."""

import statistics
import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.engine.report import Section, at_most
from benchmarks.service import parts
from harken.settings import Settings
from harken.tasks.app import make_app
from harken.tasks.progress import ProgressReporter, Tick

AT_MOST_US: Final = 2.0


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
    begun = time.perf_counter()
    for number in range(calls):
        reporter.report("decode", number / calls, "half")
    reported = time.perf_counter()
    for number in range(calls):
        _nothing("decode", number / calls, "half")
    looped = time.perf_counter()
    return ((reported - begun) - (looped - reported)) / calls * 1e6


def _nothing(_stage: str, _fraction: float, _message: str) -> None:
    """A call that does nothing."""
