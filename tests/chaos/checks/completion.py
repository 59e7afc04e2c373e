"""Promise 2: attempts may be many, their effect is one."""

from collections import Counter
from collections.abc import Iterator

from tests.chaos.checks.violation import Violation, of
from tests.chaos.history import RUNNING, SUCCEEDED, TERMINAL, FinalJob, History

violation = of("2 at most one effective completion")


def an_attempt_at_most_ends_a_job(history: History) -> Iterator[Violation]:
    """Ends, results and attempts that are twice there, missing or unknown to the log."""
    jobs = {job.job_id: job for job in history.final}
    for job in history.final:
        yield from _of_job(job)
    starts = Counter((done.job_id, done.attempt) for done in history.executions if _starts(done))
    for (job_id, attempt), times in starts.items():
        if times > 1:
            yield violation("duplicated", job_id, f"attempt {attempt} started {times} times")
        if job_id in jobs and attempt not in _claimed(jobs[job_id]):
            yield violation("unexpected", job_id, f"attempt {attempt} started without a claim")
    ends = Counter(done.job_id for done in history.executions if done.what in TERMINAL)
    for job_id, times in ends.items():
        if times > 1:
            yield violation("duplicated", job_id, f"its end was written {times} times")
    for done in history.executions:
        job = jobs.get(done.job_id)
        if job is None or done.what not in TERMINAL:
            continue
        if (done.what, done.attempt) != (job.state, job.attempt):
            seen = f"attempt {done.attempt} wrote {done.what}, it is {job.state} of {job.attempt}"
            yield violation("unexpected", job.job_id, seen)


def _starts(execution: object) -> bool:
    return getattr(execution, "what", "") == "starts"


def _claimed(job: FinalJob) -> list[int]:
    return [row.attempt for row in job.log if row.after == RUNNING]


def _of_job(job: FinalJob) -> Iterator[Violation]:
    ends = [row for row in job.log if row.after in TERMINAL]
    if len(ends) > 1:
        seen = ", ".join(f"{row.after} by attempt {row.attempt}" for row in ends)
        yield violation("duplicated", job.job_id, f"it ended as {seen}")
    expected = 1 if job.state == SUCCEEDED else 0
    if job.results != expected:
        yield violation("results", job.job_id, f"{job.results} results of a {job.state} job")
    claimed = _claimed(job)
    if claimed != list(range(1, len(claimed) + 1)):
        yield violation("attempts", job.job_id, f"claimed as attempts {claimed}")
    if job.attempt != len(claimed):
        yield violation("attempts", job.job_id, f"{len(claimed)} claims, attempt {job.attempt}")
    attempt = 0
    for row in job.log:
        attempt += row.after == RUNNING
        if row.attempt != attempt:
            seen = f"attempt {row.attempt} wrote {row.after} while {attempt} held the job"
            yield violation("fencing", job.job_id, seen)
