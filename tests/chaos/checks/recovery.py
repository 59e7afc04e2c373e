"""Promise 6: after a fault jobs run again within its bound, and no job waits beside a free slot."""

from collections.abc import Iterator

from tests.chaos.calm import REDIS_S, bound_s, shadows, slack_s
from tests.chaos.checks.violation import Violation, of
from tests.chaos.history import QUEUED, RUNNING, Fault, FinalJob, History
from tests.chaos.lives import full, stays
from tests.chaos.spans import length, longest, without

violation = of("6 recovery")


def recovery_is_in_time(history: History) -> Iterator[Violation]:
    """Jobs that stay with what was killed, and jobs that wait though nothing is in their way."""
    jobs = {job.job_id: job for job in history.final}
    for fault in history.faults:
        yield from _left_behind(history, fault, jobs)
    yield from _stranded(history)


def _left_behind(history: History, fault: Fault, jobs: dict[str, FinalJob]) -> Iterator[Violation]:
    """Of the victims of a child's or worker's death, those that ran there to the end of its bound."""
    if fault.part not in ("child", "worker") or not fault.kind.startswith(("kill", "fail")):
        return
    deadline = fault.begun + bound_s(history, fault) + slack_s(history)
    if (
        length(without([(fault.begun, deadline)], shadows(history, but=fault)))
        < deadline - fault.begun
    ):
        return  # another fault was in the way
    held = [
        job_id
        for job_id in fault.victims
        if job_id in jobs
        and any(
            stay.row.after == RUNNING and stay.begun <= fault.begun and stay.ended >= deadline
            for stay in stays(history, jobs[job_id])
        )
    ]
    # One of a worker's children was killed, all of its jobs are named.
    if held and (fault.part == "worker" or len(held) == len(fault.victims)):
        seen = f"still RUNNING where it was {bound_s(history, fault):g} s after {fault.kind}"
        yield violation("left behind", ", ".join(held), seen)


def _stranded(history: History) -> Iterator[Violation]:
    """Jobs that waited in calm beside a free slot for longer than any recovery takes."""
    hidden = [*shadows(history), *full(history), (0.0, history.setup.begun)]
    for job in history.final:
        for stay in stays(history, job):
            if stay.row.after != QUEUED or stay.row.error_kind == "TRANSIENT":
                continue  # a retry waits by its own clock
            waited = longest(without([(stay.begun, stay.ended)], hidden))
            if waited > REDIS_S + slack_s(history):
                yield violation("stranded", job.job_id, f"{waited:.1f} s beside a free slot")
