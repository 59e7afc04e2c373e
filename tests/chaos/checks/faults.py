"""What nobody promised in so many words: harken has no fault of its own, and no part dies that was not killed."""

from collections.abc import Iterator

from tests.chaos.checks.violation import Violation, of
from tests.chaos.history import History

violation = of("no fault of its own")


def nothing_breaks_by_itself(history: History) -> Iterator[Violation]:
    """Answers that confess a fault, and parts that ended unasked."""
    for done in history.operations:
        if "ServerError" in done.error:
            yield violation("fault", done.kind, f"{done.error} at {done.returned:.1f}")
    for death in history.deaths:
        if not death.killed:
            seen = f"it ended with {death.code} at {death.time:.1f} though nobody killed it"
            yield violation("death", death.part, seen)
