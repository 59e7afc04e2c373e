"""Promise 5: deaths are counted, bounded, and nobody pays for another's."""

from collections.abc import Iterator

from tests.chaos.calm import CHILD_S, after_worker_s, shadows, slack_s
from tests.chaos.checks.violation import Violation, of
from tests.chaos.history import FAILED, RUNNING, FinalJob, History, Logged
from tests.chaos.spans import without

violation = of("5 bounded loss")

CRASHED = "CRASHED"
# What can end an attempt without a word: the processes themselves, and what keeps a worker from renewing its leases.
DEADLY = ("child", "worker", "database", "link")


def crashes_are_bounded(history: History) -> Iterator[Violation]:
    """Crashes beyond the limit, counted wrongly, without a cause, or of a neighbour."""
    limit = history.setup.max_crashes
    crashes: list[tuple[FinalJob, Logged]] = []
    for job in history.final:
        of_job = [row for row in job.log if row.error_kind == CRASHED]
        crashes += [(job, row) for row in of_job]
        if job.crashes > limit:
            yield violation("unbounded", job.job_id, f"{job.crashes} crashes, {limit} are allowed")
        if len(of_job) != job.crashes:
            yield violation("count", job.job_id, f"{job.crashes} crashes, {len(of_job)} logged")
        failed = job.state == FAILED and job.error_kind == CRASHED
        if failed != (job.crashes == limit and job.state == FAILED):
            seen = f"{job.state} {job.error_kind} after {job.crashes} of {limit} crashes"
            yield violation("end", job.job_id, seen)
        for row in of_job:
            if not _has_cause(history, job, row):
                seen = f"attempt {row.attempt} was lost at {row.time:.1f} though nothing broke"
                yield violation("without cause", job.job_id, seen)
    yield from _neighbours(history, crashes)


def _has_cause(history: History, job: FinalJob, lost: Logged) -> bool:
    claim = next(row for row in job.log if row.after == RUNNING and row.attempt == lost.attempt)
    return any(
        fault.part in DEADLY
        and fault.begun <= lost.time + slack_s(history)
        and fault.ended + after_worker_s(history) + slack_s(history) >= claim.time
        for fault in history.faults
    )


def _neighbours(history: History, crashes: list[tuple[FinalJob, Logged]]) -> Iterator[Violation]:
    """In calm, a child's death costs one job."""
    for fault in history.faults:
        if fault.part != "child":
            continue
        span = (fault.begun, fault.ended + CHILD_S + slack_s(history))
        if without([span], shadows(history, but=fault)) != [span]:
            continue
        lost = {job.job_id for job, row in crashes if span[0] <= row.time <= span[1]}
        if len(lost) > 1:
            yield violation("neighbour", ", ".join(sorted(lost)), "lost by the death of one child")
