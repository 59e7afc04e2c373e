"""Which times count: a promise's bound is on times at which nothing else is broken.

Each fault casts a shadow: from its begin until its part was up again, and for as long after that as the promises
allow for its effects. A bound counts the time outside of all shadows, or after one fault that stands alone.
"""

from tests.chaos.history import Fault, History
from tests.chaos.spans import Span, merged

# A machine that is busy with the faults is slow with the rest: processes start and load their engine.
SLACK_S = 3.0
LAGS = (
    4  # steps of a recovery, each of which can meet the worst delay that the harness has met itself
)

CHILD_S = 2.0  # a child killed: its job runs again
REDIS_S = 10.0  # Redis back: the queue moves again
SERVER_S = 7.0  # the leader killed: another one leads
DATABASE_S = 5.0  # the database back: connections are made again
LINK_S = 10.0  # connections cut: those to Redis take longest
CANCEL_S = 10.0  # a running job that is cancelled has stopped


def slack_s(history: History) -> float:
    """What every bound gets on top, for the machine's sake."""
    return SLACK_S + LAGS * history.setup.lag_s


def after_worker_s(history: History) -> float:
    """A worker gone: its jobs run elsewhere."""
    return history.setup.lease_s + 2.0


def bound_s(history: History, fault: Fault) -> float:
    """How long a fault's effects may last."""
    match fault.part:
        case "child":
            return CHILD_S
        case "worker":
            return after_worker_s(history)
        case "server":
            return SERVER_S
        case "redis":
            return REDIS_S
        case "database":
            # Heartbeats may have failed: then leases run out.
            return DATABASE_S + after_worker_s(history)
        case "link":
            return LINK_S + after_worker_s(history)
        case _:
            raise ValueError(f"a fault of {fault.part!r} has no bound")


def shadow(history: History, fault: Fault) -> Span:
    """From a fault's begin to the end of its effects."""
    return fault.begun, fault.ended + bound_s(history, fault) + slack_s(history)


def shadows(history: History, but: Fault | None = None) -> list[Span]:
    """The shadows of all faults but one."""
    return merged(shadow(history, fault) for fault in history.faults if fault is not but)
