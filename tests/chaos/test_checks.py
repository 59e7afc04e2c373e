"""The checker is shown histories in which one thing is wrong, and says what; it has nothing to say of a sound one."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.checks import judge
from tests.chaos.history import (
    CANCELLED,
    CANCELLING,
    FAILED,
    QUEUED,
    RUNNING,
    SUCCEEDED,
    Death,
    Declined,
    Execution,
    Fault,
    FinalJob,
    History,
    Logged,
    Operation,
    Outcome,
    Retried,
    Seen,
    Setup,
    WatchEvent,
)

Break = Callable[[History], History]

GOOD, BAD, STOPPED, WAITED, AGAIN = "good", "bad", "stopped", "waited", "again"
FORCED = "forced"  # the second retry


def life(*states: str, since: float, each: float = 1.0, **errors: str) -> tuple[Logged, ...]:
    """A log of these states, one after the other; `errors` gives `r3="CRASHED"` an error's kind."""
    rows: list[Logged] = []
    attempt = 0
    for number, (before, after) in enumerate(zip(("", *states), states, strict=False), 1):
        attempt += after == RUNNING
        rows.append(
            Logged(
                revision=number,
                attempt=attempt,
                before=before,
                after=after,
                time=since + number * each,
                error_kind=errors.get(f"r{number}", ""),
            )
        )
    return tuple(rows)


def job(name: str, log: tuple[Logged, ...], **fields: Any) -> FinalJob:
    """A job that ended as its log says."""
    last = log[-1]
    known = {
        "source": "piece.mp3",
        "request_id": f"request-{name}",
        "error_kind": last.error_kind,
        "results": int(last.after == SUCCEEDED),
        "stopped": last.after == CANCELLED,
        "crashes": sum(row.error_kind == "CRASHED" for row in log),
        **fields,
    }
    return FinalJob(
        job_id=name,
        state=last.after,
        revision=last.revision,
        attempt=last.attempt,
        log=log,
        **known,
    )


def submit(name: str, at: float, **fields: Any) -> Operation:
    """An accepted submit of the job."""
    known = {
        "outcome": Outcome.OK,
        "returned": at + 0.1,
        "seen": (Seen(job_id=name, state=QUEUED, revision=1),),
        "payload": f"payload-{name}",
        **fields,
    }
    return Operation(kind="submit", invoked=at, request_id=f"request-{name}", **known)


def cancel(name: str, at: float, state: str, revision: int) -> Operation:
    """A cancel and its answer."""
    return Operation(
        kind="cancel",
        invoked=at,
        returned=at + 0.1,
        outcome=Outcome.OK,
        target=name,
        seen=(Seen(job_id=name, state=state, revision=revision),),
    )


def redrive(request: str, at: float, *retried: tuple[str, str], **fields: Any) -> Operation:
    """A redrive that was answered with pairs of an old and a new job."""
    known: dict[str, Any] = {
        "outcome": Outcome.OK,
        "retried": tuple(Retried(job_id=old, new_job_id=new) for old, new in retried),
        **fields,
    }
    return Operation(
        kind="redrive", invoked=at, returned=at + 0.1, request_id=f"request-{request}", **known
    )


def dismiss(at: float, *job_ids: str, **fields: Any) -> Operation:
    """A dismissal that was answered; what it did not do stands in `declined`."""
    declined = fields.get("declined", ())
    known: dict[str, Any] = {
        "outcome": Outcome.OK,
        "payload": " ".join(job_ids),
        "dismissed": tuple(set(job_ids) - {each.job_id for each in declined}),
        **fields,
    }
    return Operation(kind="dismiss", invoked=at, returned=at + 0.1, **known)


def watched(watch: int, log: tuple[Logged, ...], target: str) -> list[WatchEvent]:
    """All that a watch from the first moment is told."""
    events = [
        WatchEvent(
            watch=watch,
            target=target,
            kind="transition" if row.before else "snapshot",
            time=row.time + 0.1,
            revision=row.revision,
            attempt=row.attempt,
            before=row.before,
            state=row.after,
        )
        for row in log
    ]
    ticks = [
        WatchEvent(watch=watch, target=target, kind="tick", time=0.0, attempt=1, fraction=fraction)
        for fraction in (0.2, 0.6)
    ]
    over = WatchEvent(watch=watch, target=target, kind="over", time=log[-1].time + 0.2)
    return [*events[:2], *ticks, *events[2:], over]


def sound() -> History:
    """A short run with a job of each fate, a retry, a batch of two, and a child's death that is well survived."""
    good = life(QUEUED, RUNNING, QUEUED, RUNNING, SUCCEEDED, since=100, r3="CRASHED")
    bad = life(QUEUED, RUNNING, FAILED, since=100, r3="INPUT")
    stopped = life(QUEUED, RUNNING, CANCELLING, CANCELLED, since=100)
    waited = life(QUEUED, CANCELLED, since=100)
    forced = life(QUEUED, CANCELLED, since=108)
    forced = (replace(forced[0], position=1), *forced[1:])
    simple = life(QUEUED, RUNNING, SUCCEEDED, since=100)
    ends = [(GOOD, 2, SUCCEEDED), (BAD, 1, FAILED), (STOPPED, 1, CANCELLED)]
    starts = [(GOOD, 1), (GOOD, 2), (BAD, 1), (STOPPED, 1)]
    return History(
        setup=Setup(seed=1, database="sqlite", slots=4, begun=100, calm=120, ended=200),
        operations=(
            *(submit(name, 101) for name in (GOOD, BAD, STOPPED, WAITED)),
            Operation(
                kind="submit_batch",
                invoked=101,
                returned=101.2,
                outcome=Outcome.OK,
                request_id="request-batch",
                payload="two",
                batch_id="batch",
                accepted=2,
            ),
            redrive("redrive", 105, (WAITED, AGAIN)),
            redrive("redrive", 106, (WAITED, AGAIN)),
            redrive("late", 107, declined=(Declined(job_id=WAITED, reason="ALREADY_RETRIED"),)),
            redrive("forced", 108, (WAITED, FORCED), forced=True),
            redrive("filter", 108, by_filter=True),
            dismiss(107, BAD, GOOD, declined=(Declined(job_id=GOOD, reason="NOT_FAILED"),)),
            dismiss(109, BAD, declined=(Declined(job_id=BAD, reason="ALREADY_DISMISSED"),)),
            cancel(STOPPED, 102.9, CANCELLING, 3),
            cancel(WAITED, 102, CANCELLED, 2),
            replace(cancel(GOOD, 110, SUCCEEDED, 5), kind="get"),
        ),
        watched=(
            *watched(1, good, GOOD),
            *watched(2, stopped, STOPPED),
            *(
                WatchEvent(watch=3, target="batch", kind="batch", time=0.0, total=2, done=done)
                for done in (0, 1, 2)
            ),
            WatchEvent(watch=3, target="batch", kind="over", time=0.0),
        ),
        faults=(Fault(kind="kill-child", part="child", begun=102.8, ended=102.9, victims=(GOOD,)),),
        deaths=(Death(part="server", time=190, code=0, killed=True),),
        executions=(
            *(Execution(job_id=name, attempt=n, what="starts", time=102) for name, n in starts),
            *(Execution(job_id=name, attempt=n, what=what, time=105) for name, n, what in ends),
        ),
        final=(
            job(GOOD, good),
            job(BAD, bad, source="broken.wav", dismissed=True),
            job(STOPPED, stopped),
            job(WAITED, waited),
            job(AGAIN, life(QUEUED, RUNNING, SUCCEEDED, since=105), request_id="", retry_of=WAITED),
            job(FORCED, forced, request_id="", retry_of=WAITED),
            job("one", simple, batch_id="batch", request_id="request-batch"),
            job("two", simple, batch_id="batch", request_id="request-batch"),
        ),
    )


def final(name: str, **fields: Any) -> Break:
    """Another end of one job."""

    def change(history: History) -> History:
        jobs = tuple(replace(j, **fields) if j.job_id == name else j for j in history.final)
        return history.but(final=jobs)

    return change


def lived(name: str, *states: str, each: float = 1.0, **fields: Any) -> Break:
    """Another life of one job."""
    errors = {
        key: fields.pop(key) for key in list(fields) if key.startswith("r") and key[1:].isdigit()
    }

    def change(history: History) -> History:
        log = life(*states, since=100, each=each, **errors)
        jobs = tuple(job(name, log, **fields) if j.job_id == name else j for j in history.final)
        return history.but(final=jobs)

    return change


def without_job(name: str) -> Break:
    """The job is gone."""
    return lambda h: h.but(final=tuple(j for j in h.final if j.job_id != name))


def also(**records: Any) -> Break:
    """One record more in a field."""

    def change(history: History) -> History:
        return history.but(**{n: (*getattr(history, n), record) for n, record in records.items()})

    return change


def log_row(name: str, place: int, **fields: Any) -> Break:
    """Another row in one job's log."""

    def change(history: History) -> History:
        (found,) = (j for j in history.final if j.job_id == name)
        rows = list(found.log)
        rows[place] = replace(rows[place], **fields)
        return final(name, log=tuple(rows))(history)

    return change


def told(watch: int, order: Callable[[list[WatchEvent]], list[WatchEvent]]) -> Break:
    """Other events of one watch."""

    def change(history: History) -> History:
        others = [event for event in history.watched if event.watch != watch]
        events = [event for event in history.watched if event.watch == watch]
        return history.but(watched=(*others, *order(events)))

    return change


def all_of(*breaks: Break) -> Break:
    """One after the other."""

    def change(history: History) -> History:
        for each in breaks:
            history = each(history)
        return history

    return change


def at(place: int, **fields: Any) -> Callable[[list[WatchEvent]], list[WatchEvent]]:
    """The events with another one at a place."""

    def change(events: list[WatchEvent]) -> list[WatchEvent]:
        changed = list(events)
        changed[place] = replace(changed[place], **fields)
        return changed

    return change


def unwatched(watch: int) -> Break:
    """That watch was never opened."""
    return told(watch, lambda events: events[:0])


REDIS_AWAY = Fault(kind="kill-redis", part="redis", begun=150, ended=160)

# What is changed, and what has to be found: the promise, by how it begins, and the word for it.
BROKEN: dict[str, tuple[Break, str, str]] = {
    "an accepted job is not there": (without_job(GOOD), "1", "lost"),
    "a job of an accepted batch is not there": (without_job("two"), "1", "lost"),
    "a job never ends": (
        all_of(lived(GOOD, QUEUED, RUNNING), unwatched(1)),
        "1",
        "hangs",
    ),
    "a job that nobody submitted": (
        also(final=job("ghost", life(QUEUED, CANCELLED, since=100))),
        "1",
        "unexpected",
    ),
    "two jobs of one request_id": (
        also(final=job("twin", life(QUEUED, CANCELLED, since=100), request_id=f"request-{GOOD}")),
        "1",
        "duplicated",
    ),
    "a repetition that was told of another job": (
        also(
            operations=submit(
                GOOD, 130, seen=(Seen(job_id=BAD, state=FAILED, revision=3, attempt=1),)
            )
        ),
        "1",
        "duplicated",
    ),
    "a request_id that took two payloads": (
        also(
            operations=submit(
                GOOD,
                130,
                payload="other",
                seen=(Seen(job_id=GOOD, state=SUCCEEDED, revision=5, attempt=2),),
            )
        ),
        "1",
        "unexpected",
    ),
    "a repetition that was refused as another payload": (
        also(
            operations=submit(
                GOOD, 130, outcome=Outcome.REFUSED, seen=(), error="AlreadyExists REQUEST_ID_REUSED"
            )
        ),
        "1",
        "unexpected",
    ),
    "a submit whose outcome was never found out": (
        also(operations=submit("unheard", 130, outcome=Outcome.UNKNOWN, seen=())),
        "1",
        "unresolved",
    ),
    "a retry that is not there": (without_job(AGAIN), "1", "lost"),
    "a retry that never ends": (
        lived(AGAIN, QUEUED, RUNNING, request_id="", retry_of=WAITED),
        "1",
        "hangs",
    ),
    "a retry of another job": (final(AGAIN, retry_of=BAD), "1", "unexpected"),
    "a retry that no answer names": (
        also(
            final=job("ghost", life(QUEUED, CANCELLED, since=106), request_id="", retry_of=STOPPED)
        ),
        "1",
        "unexpected",
    ),
    "a forced redrive's retry that is not there": (without_job(FORCED), "1", "lost"),
    "a second retry of a job that no redrive forced": (
        lambda h: h.but(operations=tuple(replace(o, forced=False) for o in h.operations)),
        "1",
        "duplicated",
    ),
    "a forced redrive that finds a job retried": (
        also(
            operations=redrive(
                "stubborn",
                109,
                forced=True,
                declined=(Declined(job_id=WAITED, reason="ALREADY_RETRIED"),),
            )
        ),
        "1",
        "refused",
    ),
    "a job that was never retried and is said to have been": (
        also(
            operations=redrive(
                "plain", 109, declined=(Declined(job_id=BAD, reason="ALREADY_RETRIED"),)
            )
        ),
        "1",
        "refused",
    ),
    "a job that has ended and is said not to have": (
        also(
            operations=redrive(
                "plain", 109, declined=(Declined(job_id=BAD, reason="NOT_TERMINAL"),)
            )
        ),
        "1",
        "refused",
    ),
    "a job that is there and not found by a redrive": (
        also(
            operations=redrive(
                "plain", 109, declined=(Declined(job_id=BAD, reason="JOB_NOT_FOUND"),)
            )
        ),
        "1",
        "refused",
    ),
    "a reason that nobody knows": (
        also(operations=redrive("plain", 109, declined=(Declined(job_id=BAD, reason="WHY_NOT"),))),
        "1",
        "refused",
    ),
    "a dismissal that is lost": (final(BAD, dismissed=False), "1", "lost"),
    "a dismissal that nobody asked for": (
        lambda h: h.but(operations=tuple(o for o in h.operations if o.kind != "dismiss")),
        "1",
        "unexpected",
    ),
    "a job that was dismissed and has not failed": (
        all_of(also(operations=dismiss(110, GOOD)), final(GOOD, dismissed=True)),
        "1",
        "unexpected",
    ),
    "a job that was dismissed twice": (also(operations=dismiss(110, BAD)), "1", "duplicated"),
    "a failed job that is not dismissed since it has not failed": (
        also(operations=dismiss(110, BAD, declined=(Declined(job_id=BAD, reason="NOT_FAILED"),))),
        "1",
        "refused",
    ),
    "a job that is said to have been dismissed and is not": (
        also(
            operations=dismiss(
                110, GOOD, declined=(Declined(job_id=GOOD, reason="ALREADY_DISMISSED"),)
            )
        ),
        "1",
        "refused",
    ),
    "a job that is there and not found by a dismissal": (
        also(
            operations=dismiss(110, BAD, declined=(Declined(job_id=BAD, reason="JOB_NOT_FOUND"),))
        ),
        "1",
        "refused",
    ),
    "a dismissed job that a filter finds": (
        all_of(
            also(operations=redrive("sweep", 110, (BAD, "third"), by_filter=True)),
            also(
                final=job("third", life(QUEUED, CANCELLED, since=110), request_id="", retry_of=BAD)
            ),
        ),
        "1",
        "unexpected",
    ),
    "a job that two redrives retried": (
        all_of(
            also(operations=redrive("second", 107, (WAITED, "twin"))),
            also(
                final=job(
                    "twin", life(QUEUED, CANCELLED, since=107), request_id="", retry_of=WAITED
                )
            ),
        ),
        "1",
        "duplicated",
    ),
    "a repeated redrive that was told of other jobs": (
        also(operations=redrive("redrive", 107)),
        "1",
        "duplicated",
    ),
    "a redrive whose outcome was never found out": (
        also(operations=redrive("unheard", 107, outcome=Outcome.UNKNOWN)),
        "1",
        "unresolved",
    ),
    "a repeated redrive that was refused": (
        also(operations=redrive("redrive", 107, outcome=Outcome.REFUSED)),
        "1",
        "unexpected",
    ),
    "a job that ended twice": (
        lived(GOOD, QUEUED, RUNNING, SUCCEEDED, FAILED, r4="TIMEOUT"),
        "2",
        "duplicated",
    ),
    "a result that is missing": (final(GOOD, results=0), "2", "results"),
    "a result of a job that was cancelled": (final(STOPPED, results=1), "2", "results"),
    "two results": (final(GOOD, results=2), "2", "results"),
    "an attempt that was claimed twice": (log_row(GOOD, 3, attempt=1), "2", "attempts"),
    "a claim that the job does not count": (final(GOOD, attempt=3), "2", "attempts"),
    "a zombie's write": (log_row(GOOD, 4, attempt=1), "2", "fencing"),
    "an attempt that started twice": (
        also(executions=Execution(job_id=GOOD, attempt=2, what="starts", time=104)),
        "2",
        "duplicated",
    ),
    "an attempt that started without a claim": (
        also(executions=Execution(job_id=GOOD, attempt=3, what="starts", time=104)),
        "2",
        "unexpected",
    ),
    "two attempts that wrote an end": (
        also(executions=Execution(job_id=GOOD, attempt=1, what=SUCCEEDED, time=104)),
        "2",
        "duplicated",
    ),
    "a change after the end": (
        lived(GOOD, QUEUED, RUNNING, SUCCEEDED, QUEUED, RUNNING, SUCCEEDED),
        "3",
        "changed after the end",
    ),
    "a change that is not legal": (lived(BAD, QUEUED, SUCCEEDED), "3", "illegal"),
    "a revision that is skipped": (log_row(GOOD, 4, revision=6), "3", "revisions"),
    "a row that is not the log's last": (final(GOOD, revision=6), "3", "log"),
    "a log with a hole": (log_row(STOPPED, 3, before=RUNNING), "3", "log"),
    "a log whose first row is not the first": (log_row(WAITED, 0, before=RUNNING), "3", "log"),
    "a job without a log": (final(WAITED, log=()), "3", "lost"),
    "an answer that the log does not know": (
        also(operations=replace(cancel(GOOD, 130, FAILED, 5), kind="get")),
        "3",
        "unexpected",
    ),
    "a watch that the log does not know": (told(1, at(-2, state=FAILED)), "3", "unexpected"),
    "an answer older than one before": (
        also(operations=replace(cancel(GOOD, 130, RUNNING, 4), kind="list")),
        "3",
        "out of order",
    ),
    "a cancelled job that starts": (
        also(executions=Execution(job_id=WAITED, attempt=1, what="starts", time=110)),
        "4",
        "started",
    ),
    "a cancel that takes too long": (
        lived(STOPPED, QUEUED, RUNNING, CANCELLING, CANCELLED, each=20),
        "4",
        "late",
    ),
    "a cancel that is ignored": (
        all_of(also(operations=cancel(GOOD, 102.5, RUNNING, 2))),
        "4",
        "ignored",
    ),
    "a cancel that changes what had ended": (
        all_of(
            lived(GOOD, QUEUED, RUNNING, SUCCEEDED), also(operations=cancel(GOOD, 120, FAILED, 2))
        ),
        "4",
        "changed after the end",
    ),
    "a cancelled job without a stopped_time": (final(WAITED, stopped=False), "4", "stopped_time"),
    "a stopped_time of a job that was not cancelled": (
        final(GOOD, stopped=True),
        "4",
        "stopped_time",
    ),
    "more crashes than allowed": (
        lived(
            GOOD,
            *(QUEUED, RUNNING) * 4,
            FAILED,
            r3="CRASHED",
            r5="CRASHED",
            r7="CRASHED",
            r9="CRASHED",
        ),
        "5",
        "unbounded",
    ),
    "a crash that is not counted": (final(GOOD, crashes=0), "5", "count"),
    "too early given up": (
        lived(GOOD, QUEUED, RUNNING, QUEUED, RUNNING, FAILED, r3="CRASHED", r5="CRASHED"),
        "5",
        "end",
    ),
    "a crash without a cause": (lambda h: h.but(faults=()), "5", "without cause"),
    "a neighbour that was lost": (
        lived(
            "one",
            QUEUED,
            RUNNING,
            QUEUED,
            RUNNING,
            SUCCEEDED,
            r3="CRASHED",
            batch_id="batch",
            request_id="request-batch",
        ),
        "5",
        "neighbour",
    ),
    "a job left with a killed child": (
        all_of(
            lived(BAD, QUEUED, RUNNING, FAILED, each=20, r3="INPUT", source="broken.wav"),
            also(
                faults=Fault(kind="kill-child", part="child", begun=145, ended=145, victims=(BAD,))
            ),
        ),
        "6",
        "left behind",
    ),
    "a job left with a killed worker": (
        all_of(
            lived(GOOD, QUEUED, RUNNING, SUCCEEDED, each=45),
            also(
                faults=Fault(
                    kind="kill-worker", part="worker", begun=191, ended=193, victims=(GOOD,)
                )
            ),
        ),
        "6",
        "left behind",
    ),
    "a job that waits beside a free slot": (
        lived(GOOD, QUEUED, RUNNING, SUCCEEDED, each=30),
        "6",
        "stranded",
    ),
    "an input error that is retried": (
        lived(
            BAD,
            QUEUED,
            RUNNING,
            QUEUED,
            RUNNING,
            FAILED,
            r3="INPUT",
            r5="INPUT",
            source="broken.wav",
        ),
        "7",
        "retried",
    ),
    "a retry that is not counted": (
        lived(GOOD, QUEUED, RUNNING, QUEUED, RUNNING, SUCCEEDED, r3="TRANSIENT"),
        "7",
        "count",
    ),
    "too many retries": (final(GOOD, retries=4), "7", "count"),
    "an error that was forgotten": (final(BAD, error_kind=""), "7", "forgotten"),
    "an error that is not the last one": (final(BAD, error_kind="TIMEOUT"), "7", "forgotten"),
    "a broken file that succeeds": (final(GOOD, source="broken.wav"), "7", "unexpected"),
    "a good file that is at fault": (final(BAD, source="piece.mp3"), "7", "unexpected"),
    "a submit that hangs while Redis is away": (
        all_of(also(faults=REDIS_AWAY), also(operations=submit(GOOD, 151, returned=157.0))),
        "8",
        "slow",
    ),
    "a submit that fails while Redis is away": (
        all_of(
            also(faults=REDIS_AWAY),
            also(
                operations=submit("x", 151, outcome=Outcome.UNKNOWN, seen=(), error="UNAVAILABLE")
            ),
        ),
        "8",
        "unanswered",
    ),
    "a lost event": (told(1, lambda e: [*e[:1], *e[2:]]), "watching", "lost"),
    "an event that does not follow from the last": (
        told(1, at(1, before=CANCELLING)),
        "watching",
        "lost",
    ),
    "a watch without a snapshot": (told(1, lambda e: e[1:]), "watching", "lost"),
    "a duplicated event": (told(1, lambda e: [*e[:2], *e[1:]]), "watching", "duplicated"),
    "a second snapshot": (told(1, lambda e: [*e[:1], *e]), "watching", "duplicated"),
    "events out of order": (
        told(2, lambda e: [*e[:-3], e[-2], e[-3], e[-1]]),
        "watching",
        "out of order",
    ),
    "a tick after the end": (
        told(1, lambda e: [*e[:-1], replace(e[2], attempt=2), e[-1]]),
        "watching",
        "changed after the end",
    ),
    "a tick of an older attempt": (
        told(1, lambda e: [*e[:-2], e[2], *e[-2:]]),
        "watching",
        "out of order",
    ),
    "progress that falls": (told(1, at(3, fraction=0.1)), "watching", "out of order"),
    "a watch that ends before its job": (told(1, lambda e: [*e[:-2], e[-1]]), "watching", "lost"),
    "a watch that does not end": (told(1, at(-1, kind="abandoned")), "watching", "lost"),
    "an event of an unknown kind": (told(1, at(2, kind="rumour")), "watching", "unexpected"),
    "a batch that shrinks": (told(3, at(2, total=1)), "watching", "unexpected"),
    "a batch that goes back": (
        told(3, lambda e: [e[0], e[2], e[1], e[3]]),
        "watching",
        "out of order",
    ),
    "a batch's watch that ends early": (
        told(3, lambda e: [*e[:2], e[3]]),
        "watching",
        "lost",
    ),
    "an answer that confesses a fault": (
        also(
            operations=Operation(
                kind="get", invoked=1, returned=2, outcome=Outcome.UNKNOWN, error="ServerError"
            )
        ),
        "no fault",
        "fault",
    ),
    "a part that dies by itself": (
        also(deaths=Death(part="worker", time=130, code=1, killed=False)),
        "no fault",
        "death",
    ),
}


def test_a_sound_history_has_nothing_wrong_with_it() -> None:
    assert judge(sound()) == []


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_found(name: str) -> None:
    change, promise, what = BROKEN[name]
    found = judge(change(sound()))
    assert any(v.promise.startswith(promise) and v.what == what for v in found), found


def test_a_history_is_the_same_after_it_was_kept(tmp_path: Path) -> None:
    sound().write(tmp_path / "history.jsonl")

    assert History.read(tmp_path / "history.jsonl") == sound()


CANCELLED_SEEN = (Seen(job_id=WAITED, state=CANCELLED, revision=2),)

EXCUSED: dict[str, Break] = {
    "a submit that was answered at its repetition": also(
        operations=submit(GOOD, 100.5, outcome=Outcome.UNKNOWN, seen=())
    ),
    "a job of a submit that was never heard of again, and refused later": all_of(
        also(operations=submit("lucky", 100.5, outcome=Outcome.UNKNOWN, seen=())),
        also(
            operations=submit(
                "lucky", 101.5, seen=(Seen(job_id="lucky", state=QUEUED, revision=1),)
            )
        ),
        also(final=job("lucky", life(QUEUED, CANCELLED, since=100))),
    ),
    "a redrive that was answered at its repetition": also(
        operations=redrive("redrive", 104.5, outcome=Outcome.UNKNOWN)
    ),
    "a redrive that found nothing to do": also(operations=redrive("idle", 107)),
    "a forced redrive whose answers came twice": also(
        operations=redrive("forced", 109, (WAITED, FORCED), forced=True)
    ),
    "a repeated redrive that is told what was so at first": all_of(
        also(
            operations=redrive(
                "early", 101, declined=(Declined(job_id=BAD, reason="NOT_TERMINAL"),)
            )
        ),
        also(
            operations=redrive(
                "early", 120, declined=(Declined(job_id=BAD, reason="NOT_TERMINAL"),)
            )
        ),
    ),
    "a dismissal without an answer that was made all the same": lambda h: h.but(
        operations=tuple(
            replace(o, outcome=Outcome.UNKNOWN, dismissed=(), declined=())
            if o.kind == "dismiss"
            else o
            for o in h.operations
        )
    ),
    "a dismissed job that is retried by name": all_of(
        also(operations=redrive("named", 110, (BAD, "third"))),
        also(final=job("third", life(QUEUED, CANCELLED, since=110), request_id="", retry_of=BAD)),
    ),
    "a reused request_id that was refused": also(
        operations=submit(
            GOOD,
            130,
            payload="other",
            outcome=Outcome.REFUSED,
            seen=(),
            error="AlreadyExists REQUEST_ID_REUSED",
        )
    ),
    "a cancel that takes long because its worker was stopped": all_of(
        log_row(STOPPED, 3, time=118),
        also(faults=Fault(kind="stop-worker", part="worker", begun=104, ended=106)),
    ),
    "a wait beside a slot while Redis was away": all_of(
        lived(
            "one", QUEUED, RUNNING, SUCCEEDED, each=30, batch_id="batch", request_id="request-batch"
        ),
        also(faults=Fault(kind="stop-redis", part="redis", begun=131, ended=150)),
    ),
    "a slow submit while the server was away too": all_of(
        also(faults=REDIS_AWAY),
        also(faults=Fault(kind="kill-server", part="server", begun=150, ended=152)),
        also(operations=submit(WAITED, 151, returned=157.0, seen=CANCELLED_SEEN)),
    ),
    "a watch from the middle": told(1, lambda e: [replace(e[1], kind="snapshot"), *e[2:]]),
}


@pytest.mark.parametrize("name", EXCUSED)
def test_what_is_nobodys_fault_is_not_held_against_anybody(name: str) -> None:
    assert judge(EXCUSED[name](sound())) == []
