"""Promise 4: a cancelled job that waits never starts; one that runs stops in time, and then nothing works on it."""

from collections.abc import Iterator

from tests.chaos.calm import CANCEL_S, shadows, slack_s
from tests.chaos.checks.violation import Violation, of
from tests.chaos.history import (
    CANCELLED,
    CANCELLING,
    QUEUED,
    TERMINAL,
    FinalJob,
    History,
    Outcome,
    Seen,
)
from tests.chaos.lives import stays
from tests.chaos.spans import length, without

violation = of("4 cancel")


def cancelled_means_stopped(history: History) -> Iterator[Violation]:
    """Starts after a cancel, stops that take too long, and cancels that change what had ended."""
    jobs = {job.job_id: job for job in history.final}
    yield from _starts(history, jobs)
    yield from _stops(history)
    for done in history.operations:
        if done.kind == "cancel" and done.outcome is Outcome.OK:
            yield from _answer(done.seen[0], jobs.get(done.seen[0].job_id))
    for job in history.final:
        if job.stopped != (job.state == CANCELLED):
            yield violation("stopped_time", job.job_id, f"{job.state}, stopped: {job.stopped}")


def _starts(history: History, jobs: dict[str, FinalJob]) -> Iterator[Violation]:
    never = {
        job_id: next(row for row in job.log if row.after == CANCELLED)
        for job_id, job in jobs.items()
        if any((row.before, row.after) == (QUEUED, CANCELLED) for row in job.log)
    }
    for done in history.executions:
        row = never.get(done.job_id)
        if row is not None and done.what == "starts" and done.attempt > row.attempt:
            seen = f"attempt {done.attempt} started though it was cancelled while it waited"
            yield violation("started", done.job_id, seen)


def _stops(history: History) -> Iterator[Violation]:
    dark = shadows(history)
    for job in history.final:
        for stay in stays(history, job):
            if stay.row.after != CANCELLING:
                continue
            took = length(without([(stay.begun, stay.ended)], dark))
            if took > CANCEL_S + slack_s(history):
                yield violation("late", job.job_id, f"CANCELLING for {took:.1f} s of calm")


def _answer(seen: Seen, job: FinalJob | None) -> Iterator[Violation]:
    if seen.state not in (*TERMINAL, CANCELLING):
        yield violation("ignored", seen.job_id, f"{seen.state} in the answer to its cancel")
    if job is not None and seen.state in TERMINAL and job.revision != seen.revision:
        told = f"{seen.state} at {seen.revision} in the answer, {job.revision} at the end"
        yield violation("changed after the end", seen.job_id, told)
