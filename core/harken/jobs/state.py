"""The states of a job and the changes that are legal; `docs/state-machine.md` draws them."""

from enum import StrEnum


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    CANCELLING = "CANCELLING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def terminal(self) -> bool:
        """Whether a job in this state never changes again."""
        return self in TERMINAL


TERMINAL = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED})
# A worker holds the job.
HELD = frozenset({JobState.RUNNING, JobState.CANCELLING})

LEGAL: dict[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.RUNNING, JobState.CANCELLED, JobState.FAILED}),
    JobState.RUNNING: frozenset(
        {JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLING, JobState.QUEUED}
    ),
    # A terminal write that came before the worker saw the request stands.
    JobState.CANCELLING: frozenset({JobState.CANCELLED, JobState.SUCCEEDED, JobState.FAILED}),
    JobState.SUCCEEDED: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
}


def after_cancel(state: JobState) -> JobState:
    """The state that a request to cancel leads to; the same state when it changes nothing."""
    match state:
        case JobState.QUEUED:
            return JobState.CANCELLED
        case JobState.RUNNING:
            return JobState.CANCELLING
        case _:
            return state


def after_loss(state: JobState, crashes: int, max_crashes: int) -> JobState:
    """The state of a held job whose process died, `crashes` counting this death too."""
    if state is JobState.CANCELLING:
        return JobState.CANCELLED
    return JobState.FAILED if crashes >= max_crashes else JobState.QUEUED


def after_transient_error(state: JobState, retries: int, max_retries: int) -> JobState:
    """The state of a held job whose attempt met a transient error after `retries` retries."""
    if state is JobState.CANCELLING:
        return JobState.CANCELLED
    return JobState.FAILED if retries >= max_retries else JobState.QUEUED
