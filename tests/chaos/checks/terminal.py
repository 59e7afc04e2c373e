"""Promise 3: terminal states never change, revisions have no gaps, and all who look see the same."""

from collections.abc import Iterator
from itertools import pairwise

from tests.chaos.checks.violation import Violation, of
from tests.chaos.history import (
    CANCELLED,
    CANCELLING,
    FAILED,
    QUEUED,
    RUNNING,
    SUCCEEDED,
    TERMINAL,
    FinalJob,
    History,
    Outcome,
)

violation = of("3 terminal states, revisions, log")

# By the contract, and not by the code that is judged.
LEGAL = {
    ("", QUEUED),
    (QUEUED, RUNNING),
    (QUEUED, CANCELLED),
    (QUEUED, FAILED),
    (RUNNING, SUCCEEDED),
    (RUNNING, FAILED),
    (RUNNING, CANCELLING),
    (RUNNING, QUEUED),
    (CANCELLING, CANCELLED),
    (CANCELLING, SUCCEEDED),
    (CANCELLING, FAILED),
}


def terminal_states_never_change(history: History) -> Iterator[Violation]:
    """Illegal changes, gaps in the log, and answers and watches that tell another story than it."""
    for job in history.final:
        yield from _log(job)
    yield from _answers(history)
    yield from _watches(history)
    yield from _reads_in_time(history)


def _log(job: FinalJob) -> Iterator[Violation]:
    if not job.log:
        yield violation("lost", job.job_id, "it has no log")
        return
    revisions = [row.revision for row in job.log]
    if revisions != list(range(1, len(revisions) + 1)):
        yield violation("revisions", job.job_id, f"the log has {revisions}")
    last = job.log[-1]
    if (last.after, last.revision) != (job.state, job.revision):
        seen = f"{job.state} at {job.revision}, the log says {last.after} at {last.revision}"
        yield violation("log", job.job_id, seen)
    if job.log[0].before != "":
        yield violation("log", job.job_id, f"its first row comes from {job.log[0].before}")
    for row in job.log:
        if (row.before, row.after) not in LEGAL:
            what = "changed after the end" if row.before in TERMINAL else "illegal"
            yield violation(what, job.job_id, f"{row.before or 'nothing'} to {row.after}")
    for earlier, later in pairwise(job.log):
        if later.before != earlier.after:
            seen = f"{earlier.after} at {earlier.revision}, then {later.before} to {later.after}"
            yield violation("log", job.job_id, seen)


def _states(history: History) -> dict[tuple[str, int], str]:
    return {(job.job_id, row.revision): row.after for job in history.final for row in job.log}


def _answers(history: History) -> Iterator[Violation]:
    states = _states(history)
    known = {job.job_id for job in history.final}
    for done in history.operations:
        for seen in done.seen:
            logged = states.get((seen.job_id, seen.revision))
            if seen.job_id in known and logged != seen.state:
                told = f"{done.kind} said {seen.state} at {seen.revision}, the log {logged}"
                yield violation("unexpected", seen.job_id, told)


def _watches(history: History) -> Iterator[Violation]:
    states = _states(history)
    known = {job.job_id for job in history.final}
    for event in history.watched:
        if event.kind not in ("snapshot", "transition") or event.target not in known:
            continue
        logged = states.get((event.target, event.revision))
        if logged != event.state:
            told = f"a watch said {event.state} at {event.revision}, the log {logged}"
            yield violation("unexpected", event.target, told)


def _reads_in_time(history: History) -> Iterator[Violation]:
    """Who asks after another was answered does not see an older job."""
    answers = [done for done in history.operations if done.outcome is Outcome.OK and done.seen]
    answered = sorted(answers, key=lambda done: done.returned)
    newest: dict[str, int] = {}
    waiting = iter(answered)
    upcoming = next(waiting, None)
    for done in sorted(answers, key=lambda done: done.invoked):
        while upcoming is not None and upcoming.returned < done.invoked:
            for seen in upcoming.seen:
                newest[seen.job_id] = max(newest.get(seen.job_id, 0), seen.revision)
            upcoming = next(waiting, None)
        for seen in done.seen:
            if seen.revision < newest.get(seen.job_id, 0):
                told = f"{done.kind} said {seen.revision} after {newest[seen.job_id]} was known"
                yield violation("out of order", seen.job_id, told)
