"""What a run is told as: its counts, its violations, and how to have it again."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.chaos.checks import Violation
from tests.chaos.history import History, Outcome


def lines(history: History, violations: Sequence[Violation]) -> Iterator[str]:
    """The report on one run."""
    setup = history.setup
    yield f"seed {setup.seed} on {setup.database}: {setup.ended - setup.begun:.0f} s, lag {setup.lag_s:.1f} s"
    outcomes = Counter(done.outcome for done in history.operations)
    kinds = Counter(done.kind for done in history.operations)
    known = ", ".join(f"{outcomes[outcome]} {outcome}" for outcome in Outcome)
    yield f"  {len(history.operations)} operations ({known}): {_counted(kinds)}"
    yield f"  {len(history.watched)} events of {_watches(history)} watches"
    yield f"  {len(history.faults)} faults: {_counted(Counter(f.kind for f in history.faults))}"
    states = Counter(" ".join((job.state, job.error_kind)).strip() for job in history.final)
    retries = sum(bool(job.retry_of) for job in history.final)
    yield f"  {len(history.final)} jobs, {retries} of them retries: {_counted(states)}"
    attempts = sum(job.attempt for job in history.final)
    crashes = sum(job.crashes for job in history.final)
    yield f"  {attempts} attempts, {crashes} crashes"
    yield f"  {len(violations)} violations"
    for violation in violations:
        yield f"    {violation}"


def kept(history: History, folder: Path) -> Path:
    """Writes the history beside the logs."""
    file = folder / "history.jsonl"
    history.write(file)
    return file


def command(seed: int, database: str, duration_s: float, every_s: float) -> str:
    """What runs it again."""
    return f"make chaos SEED={seed} DATABASE={database} DURATION={duration_s:g} EVERY={every_s:g}"


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{number} {name}" for name, number in counts.most_common())


def _watches(history: History) -> int:
    return len({event.watch for event in history.watched})
