"""Promise 1, of dismissals: what was dismissed has failed, is dismissed once, and stays so."""

from collections import Counter
from collections.abc import Iterator

from tests.chaos.checks.redrive import ended_by, first_asked
from tests.chaos.checks.violation import Violation, of
from tests.chaos.history import FAILED, History, Operation

violation = of("1 durable acceptance")


def what_was_dismissed_stays_so(history: History) -> Iterator[Violation]:
    """Lost, unexpected and duplicated dismissals, and dismissed jobs that a filter finds all the same."""
    dismissals = [done for done in history.operations if done.kind == "dismiss"]
    yield from _made(history, dismissals)
    yield from _declined(history, dismissals)
    yield from _found_again(history, dismissals)


def _made(history: History, dismissals: list[Operation]) -> Iterator[Violation]:
    told = Counter(job_id for done in dismissals for job_id in done.dismissed)
    # It may have been done though no answer said so: the channel sends a call again that got none.
    named = {job_id for done in dismissals for job_id in done.payload.split()}
    for job in history.final:
        if job.dismissed and job.state != FAILED:
            yield violation("unexpected", job.job_id, f"{job.state} and dismissed")
        if job.dismissed and job.job_id not in named:
            yield violation("unexpected", job.job_id, "nobody dismissed it")
        if told[job.job_id] and not job.dismissed:
            yield violation("lost", job.job_id, "its dismissal was answered with OK")
        if told[job.job_id] > 1:
            yield violation("duplicated", job.job_id, f"dismissed {told[job.job_id]} times")


def _declined(history: History, dismissals: list[Operation]) -> Iterator[Violation]:
    """Jobs that a dismissal left alone for a reason that is not so."""
    jobs = {job.job_id: job for job in history.final}
    for done in dismissals:
        for each in done.declined:
            job = jobs.get(each.job_id)
            failed = job is not None and job.state == FAILED and ended_by(job, done.invoked)
            wrong = {
                "JOB_NOT_FOUND": job is not None,
                "NOT_FAILED": failed,
                "ALREADY_DISMISSED": job is None or not job.dismissed,
            }
            if wrong.get(each.reason, True):
                yield violation("refused", each.job_id, f"{each.reason}, by a dismissal")


def _found_again(history: History, dismissals: list[Operation]) -> Iterator[Violation]:
    since = {job_id: done.returned for done in dismissals for job_id in done.dismissed}
    redrives = [done for done in history.operations if done.kind == "redrive"]
    asked = first_asked(redrives)
    for done in redrives:
        for each in done.retried if done.by_filter else ():
            if since.get(each.job_id, float("inf")) < asked[done.request_id]:
                yield violation("unexpected", each.job_id, "dismissed, and a filter found it")
