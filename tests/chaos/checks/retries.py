"""Promise 7: what the file is at fault for is not tried again; what may pass is, a few times."""

from collections.abc import Iterator

from tests.chaos.checks.violation import Violation, of
from tests.chaos.history import FAILED, QUEUED, SUCCEEDED, FinalJob, History

violation = of("7 retries")

BROKEN = "broken"  # stands in the name of a file that cannot be analysed


def what_a_file_is_at_fault_for_is_not_retried(history: History) -> Iterator[Violation]:
    """Retried input errors, too many retries, forgotten errors, and files judged wrongly."""
    for job in history.final:
        yield from _of_job(job, history.setup.max_retries)


def _of_job(job: FinalJob, max_retries: int) -> Iterator[Violation]:
    for row in job.log:
        if row.after == QUEUED and row.error_kind == "INPUT":
            yield violation("retried", job.job_id, f"attempt {row.attempt} failed for its input")
    retries = sum(row.after == QUEUED and row.error_kind == "TRANSIENT" for row in job.log)
    if job.retries > max_retries or retries != job.retries:
        seen = f"{job.retries} retries, {retries} logged, {max_retries} are allowed"
        yield violation("count", job.job_id, seen)
    if job.state == FAILED and not job.error_kind:
        yield violation("forgotten", job.job_id, "FAILED without an error")
    if job.state == FAILED and job.error_kind != job.log[-1].error_kind:
        seen = f"{job.error_kind}, the log says {job.log[-1].error_kind}"
        yield violation("forgotten", job.job_id, seen)
    broken = BROKEN in job.source
    if broken and job.state == SUCCEEDED:
        yield violation("unexpected", job.job_id, f"{job.source} succeeded")
    if not broken and job.error_kind in ("INPUT", "INTERNAL") and job.state == FAILED:
        yield violation("unexpected", job.job_id, f"{job.source} failed as {job.error_kind}")
