"""The checker: one function for each promise, which yields what a history shows to be broken."""

from tests.chaos.checks.acceptance import what_was_accepted_is_kept
from tests.chaos.checks.cancel import cancelled_means_stopped
from tests.chaos.checks.completion import an_attempt_at_most_ends_a_job
from tests.chaos.checks.crashes import crashes_are_bounded
from tests.chaos.checks.dismissal import what_was_dismissed_stays_so
from tests.chaos.checks.faults import nothing_breaks_by_itself
from tests.chaos.checks.outage import accepted_without_redis
from tests.chaos.checks.recovery import recovery_is_in_time
from tests.chaos.checks.redrive import retries_are_made_once
from tests.chaos.checks.retries import what_a_file_is_at_fault_for_is_not_retried
from tests.chaos.checks.terminal import terminal_states_never_change
from tests.chaos.checks.violation import Check, Violation
from tests.chaos.checks.watching import watchers_are_told_all
from tests.chaos.history import History

__all__ = ["CHECKS", "Check", "Violation", "judge"]

CHECKS: tuple[Check, ...] = (
    what_was_accepted_is_kept,
    retries_are_made_once,
    what_was_dismissed_stays_so,
    an_attempt_at_most_ends_a_job,
    terminal_states_never_change,
    cancelled_means_stopped,
    crashes_are_bounded,
    recovery_is_in_time,
    what_a_file_is_at_fault_for_is_not_retried,
    accepted_without_redis,
    watchers_are_told_all,
    nothing_breaks_by_itself,
)


def judge(history: History) -> list[Violation]:
    """All that is broken."""
    return [violation for check in CHECKS for violation in check(history)]
