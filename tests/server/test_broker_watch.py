"""When a message counts as lost: a pure decision over what the broker has in one look after the other."""

from datetime import UTC, datetime

from harken.jobs.queueing.outbox import Published
from harken.server.housekeeping.broker_watch import (
    LOST_AFTER_LOOKS,
    STUCK_AFTER_LOOKS,
    is_lost,
    missed,
)
from harken.server.housekeeping.publisher import Held

NOW = datetime(2026, 1, 2, tzinfo=UTC)
JOB = Published(job_id="a", attempt=0, published_at=NOW)
NOTHING = Held(waiting=frozenset(), handed_out=frozenset())
WAITING = Held(waiting=frozenset("a"), handed_out=frozenset())
HANDED_OUT = Held(waiting=frozenset(), handed_out=frozenset("a"))


def looks_until_lost(*looks: Held) -> int | None:
    """The number of the look that finds the job lost; None when none does."""
    counts: dict[Published, int] = {}
    for number, held in enumerate(looks, start=1):
        counts = missed(counts, [JOB], held)
        if any(is_lost(job, times, held) for job, times in counts.items()):
            return number
    return None


def test_what_is_nowhere_twice_in_a_row_is_lost() -> None:
    assert looks_until_lost(*[NOTHING] * 5) == LOST_AFTER_LOOKS == 2


def test_what_is_nowhere_once_may_be_on_its_way() -> None:
    assert looks_until_lost(NOTHING, WAITING, NOTHING, WAITING) is None


def test_what_a_worker_has_and_does_not_claim_is_lost_after_a_while() -> None:
    assert looks_until_lost(*[HANDED_OUT] * 20) == STUCK_AFTER_LOOKS


def test_what_waits_in_its_queue_is_never_lost_however_long() -> None:
    assert looks_until_lost(*[WAITING] * 100) is None


def test_a_message_that_was_sent_again_starts_anew() -> None:
    again = Published(job_id="a", attempt=0, published_at=NOW.replace(second=5))
    counts = missed({JOB: 1}, [again], NOTHING)
    assert counts == {again: 1}


def test_a_job_that_is_no_longer_waiting_is_forgotten() -> None:
    assert missed({JOB: 1}, [], NOTHING) == {}
