"""Promise 8: with Redis away, submits are accepted as fast as ever."""

from collections.abc import Iterator

from tests.chaos.calm import shadow, slack_s
from tests.chaos.checks.violation import Violation, of
from tests.chaos.history import History, Operation, Outcome
from tests.chaos.spans import Span, merged, without

violation = of("8 submit without Redis")

SLOW_S = 2.0  # a submit takes milliseconds; a call to a Redis that is away takes seconds


def accepted_without_redis(history: History) -> Iterator[Violation]:
    """Submits that were refused, unanswered or slow while Redis alone was away."""
    away = [(fault.begun, fault.ended) for fault in history.faults if fault.part == "redis"]
    others = merged(
        shadow(history, fault) for fault in history.faults if fault.part not in ("redis", "child")
    )
    for done in history.operations:
        if done.kind not in ("submit", "submit_batch") or not _within(done, away):
            continue
        if without([(done.invoked, done.returned)], others) != [(done.invoked, done.returned)]:
            continue
        if done.outcome is Outcome.UNKNOWN:
            yield violation("unanswered", done.request_id, done.error)
        if done.returned - done.invoked > SLOW_S + slack_s(history):
            seen = f"{done.kind} took {done.returned - done.invoked:.1f} s"
            yield violation("slow", done.request_id, seen)


def _within(done: Operation, spans: list[Span]) -> bool:
    return any(begin <= done.invoked <= end for begin, end in spans)
