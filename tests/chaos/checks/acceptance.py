"""Promise 1: what was accepted is there and ends; what may have been accepted is there once or not at all."""

from collections import defaultdict
from collections.abc import Iterator

from tests.chaos.checks.violation import Violation, of
from tests.chaos.history import TERMINAL, History, Operation, Outcome

violation = of("1 durable acceptance")

SUBMITS = ("submit", "submit_batch")
REUSED = "REQUEST_ID_REUSED"


def what_was_accepted_is_kept(history: History) -> Iterator[Violation]:
    """Lost, hanging, unexpected and duplicated jobs; request_ids that mean two things, or stay unresolved."""
    submits = [done for done in history.operations if done.kind in SUBMITS]
    accepted = [done for done in submits if done.outcome is Outcome.OK]
    yield from _jobs(history, accepted)
    yield from _batches(history, accepted)
    yield from _unexpected(history, submits)
    yield from _request_ids(submits)


def _jobs(history: History, accepted: list[Operation]) -> Iterator[Violation]:
    there = {job.job_id for job in history.final}
    for job_id in {seen.job_id: None for done in accepted for seen in done.seen}:
        if job_id not in there:
            yield violation("lost", job_id, "its submit was answered with OK")
    for job in history.final:
        if job.state not in TERMINAL:
            yield violation("hangs", job.job_id, f"{job.state} at the end of the run")


def _batches(history: History, accepted: list[Operation]) -> Iterator[Violation]:
    members: dict[str, int] = defaultdict(int)
    for job in history.final:
        members[job.batch_id] += 1
    for done in accepted:
        if done.batch_id and members[done.batch_id] != done.accepted:
            seen = f"{members[done.batch_id]} of {done.accepted} accepted jobs are there"
            yield violation("lost", f"batch {done.batch_id}", seen)


def _unexpected(history: History, submits: list[Operation]) -> Iterator[Violation]:
    answered = {seen.job_id for done in submits for seen in done.seen}
    batches = {done.batch_id for done in submits if done.batch_id}
    retries = {each.new_job_id for done in history.operations for each in done.retried}
    # Those may have been done, though no answer said so.
    unknown = {done.request_id for done in submits if done.outcome is Outcome.UNKNOWN}
    made: dict[str, str] = {}
    for job in history.final:
        told = job.job_id in answered or job.job_id in retries or job.batch_id in batches
        if not (told or job.request_id in unknown):
            yield violation("unexpected", job.job_id, "no submit and no redrive made it")
        thing = job.batch_id or job.job_id
        first = made.setdefault(job.request_id or thing, thing)
        if first != thing:
            yield violation("duplicated", job.job_id, f"{job.request_id} made {first} too")


def _request_ids(submits: list[Operation]) -> Iterator[Violation]:
    of_request: dict[str, list[Operation]] = defaultdict(list)
    for done in submits:
        of_request[done.request_id].append(done)
    for request_id, all_of_it in of_request.items():
        accepted = [done for done in all_of_it if done.outcome is Outcome.OK]
        made = {done.batch_id or done.seen[0].job_id for done in accepted}
        if len(made) > 1:
            yield violation("duplicated", request_id, f"it made {', '.join(sorted(made))}")
        if len({done.payload for done in accepted}) > 1:
            yield violation("unexpected", request_id, "two payloads were accepted with it")
        refused = [done for done in all_of_it if done.outcome is Outcome.REFUSED]
        for done in refused:
            others = {other.payload for other in all_of_it} - {done.payload}
            if REUSED in done.error and not others:
                yield violation("unexpected", request_id, "refused as reused, with one payload")
        if not accepted and not refused:
            yield violation("unresolved", request_id, "no repetition of it was answered")
