"""Promise 1, of retries: a redrive makes the jobs that it names, each once, and its repetition makes none."""

from collections import defaultdict
from collections.abc import Iterator

from tests.chaos.checks.violation import Violation, of
from tests.chaos.history import TERMINAL, FinalJob, History, Operation, Outcome, Retried, unresolved

violation = of("1 durable acceptance")


def retries_are_made_once(history: History) -> Iterator[Violation]:
    """Lost, unexpected and duplicated retries, and redrives of which nobody learned what they did."""
    redrives = [done for done in history.operations if done.kind == "redrive"]
    yield from _named(history, redrives)
    yield from _twice(history, redrives)
    yield from _declined(history, redrives)
    yield from _request_ids(redrives)


def first_asked(redrives: list[Operation]) -> dict[str, float]:
    """When each request_id was first sent: what its repetitions are told is as old as that."""
    asked: dict[str, float] = {}
    for done in redrives:
        asked[done.request_id] = min(done.invoked, asked.get(done.request_id, done.invoked))
    return asked


def _named(history: History, redrives: list[Operation]) -> Iterator[Violation]:
    """What the answers say was made; that these jobs end is judged with all others."""
    jobs = {job.job_id: job for job in history.final}
    for retried in {retried: None for done in redrives for retried in done.retried}:
        new = jobs.get(retried.new_job_id)
        if new is None:
            yield violation("lost", retried.new_job_id, f"made as a retry of {retried.job_id}")
        elif new.retry_of != retried.job_id:
            seen = f"a retry of {new.retry_of or 'nothing'}, the answer said {retried.job_id}"
            yield violation("unexpected", new.job_id, seen)


def _twice(history: History, redrives: list[Operation]) -> Iterator[Violation]:
    """A plain redrive makes a job's first retry, or none; all others are forced."""
    forced = {each.new_job_id for done in redrives if done.forced for each in done.retried}
    retries: dict[str, list[FinalJob]] = defaultdict(list)
    for job in history.final:
        if job.retry_of:
            retries[job.retry_of].append(job)
    for job_id, made in retries.items():
        first, *later = sorted(made, key=_made_at)
        for job in later:
            if job.job_id not in forced:
                seen = f"it was retried as {first.job_id}, and unforced as {job.job_id}"
                yield violation("duplicated", job_id, seen)


def _made_at(job: FinalJob) -> int:
    return job.log[0].position if job.log else 0


def _declined(history: History, redrives: list[Operation]) -> Iterator[Violation]:
    """Jobs that a redrive left alone for a reason that is not so."""
    jobs = {job.job_id: job for job in history.final}
    retried = {job.retry_of for job in history.final}
    asked = first_asked(redrives)
    for done in redrives:
        for each in done.declined:
            job = jobs.get(each.job_id)
            wrong = {
                "JOB_NOT_FOUND": job is not None,
                "NOT_TERMINAL": job is not None and ended_by(job, asked[done.request_id]),
                "ALREADY_RETRIED": done.forced or each.job_id not in retried,
            }
            if wrong.get(each.reason, True):
                how = "forced" if done.forced else "plain"
                yield violation("refused", each.job_id, f"{each.reason}, by a {how} redrive")


def ended_by(job: FinalJob, time: float) -> bool:
    """Whether the job had ended by then."""
    return any(row.after in TERMINAL and row.time < time for row in job.log)


def _request_ids(redrives: list[Operation]) -> Iterator[Violation]:
    answers: dict[str, set[tuple[Retried, ...]]] = defaultdict(set)
    for done in redrives:
        if done.outcome is Outcome.OK:
            answers[done.request_id].add(done.retried)
        if done.outcome is Outcome.REFUSED:
            yield violation("unexpected", done.request_id, f"a redrive was refused: {done.error}")
    for request_id, given in answers.items():
        if len(given) > 1:
            seen = f"its {len(given)} answers name different jobs"
            yield violation("duplicated", request_id, seen)
    for request_id in unresolved(redrives):
        yield violation("unresolved", request_id, "no repetition of the redrive was answered")
