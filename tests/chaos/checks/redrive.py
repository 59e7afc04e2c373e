"""Promise 1, of retries: a redrive makes the jobs that it names, each once, and its repetition makes none."""

from collections import defaultdict
from collections.abc import Iterator

from tests.chaos.checks.violation import Violation, of
from tests.chaos.history import History, Operation, Outcome, Retried, unresolved

violation = of("1 durable acceptance")


def retries_are_made_once(history: History) -> Iterator[Violation]:
    """Lost, unexpected and duplicated retries, and redrives of which nobody learned what they did."""
    redrives = [done for done in history.operations if done.kind == "redrive"]
    yield from _named(history, redrives)
    yield from _twice(history)
    yield from _request_ids(redrives)


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


def _twice(history: History) -> Iterator[Violation]:
    """No redrive of the run is forced, so that a job has one retry at most."""
    retries: dict[str, list[str]] = defaultdict(list)
    for job in history.final:
        if job.retry_of:
            retries[job.retry_of].append(job.job_id)
    for job_id, made in retries.items():
        if len(made) > 1:
            yield violation("duplicated", job_id, f"it was retried as {', '.join(made)}")


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
