"""What a watch tells: how the job stands, then each change once and in order, then nothing."""

from collections import defaultdict
from collections.abc import Iterator

from tests.chaos.checks.violation import Violation, of
from tests.chaos.history import TERMINAL, History, WatchEvent

violation = of("watching")


def watchers_are_told_all(history: History) -> Iterator[Violation]:
    """Events that are lost, duplicated, out of order or after the end, and watches that do not end."""
    watches: dict[int, list[WatchEvent]] = defaultdict(list)
    for event in history.watched:
        watches[event.watch].append(event)
    ended = {job.job_id for job in history.final if job.state in TERMINAL}
    for events in watches.values():
        if any(event.kind == "batch" for event in events):
            yield from _batch(events)
        else:
            yield from _job(events, history)
        last = events[-1]
        if last.kind == "abandoned" and last.target in ended:
            yield violation("lost", last.target, f"watch {last.watch} was not told of the end")


def _job(events: list[WatchEvent], history: History) -> Iterator[Violation]:
    revision, attempt, fraction, state = 0, 0, 0.0, ""
    for event in events:
        name = f"watch {event.watch} of {event.target}"
        if event.kind == "over":
            if state not in TERMINAL:
                yield violation("lost", name, f"it ended with the job {state or 'untold'}")
            continue
        if event.kind == "abandoned":
            continue
        if state in TERMINAL:
            yield violation("changed after the end", name, f"{event.kind} after {state}")
        match event.kind:
            case "snapshot":
                if revision:
                    yield violation("duplicated", name, f"a second snapshot at {event.revision}")
                state, revision, attempt = event.state, event.revision, event.attempt
                fraction = 0.0
            case "transition":
                if not revision:
                    yield violation("lost", name, "no snapshot came first")
                elif event.revision == revision:
                    yield violation("duplicated", name, f"revision {revision} again")
                elif event.revision < revision:
                    yield violation("out of order", name, f"{event.revision} after {revision}")
                elif event.revision > revision + 1:
                    yield violation("lost", name, f"{event.revision} follows {revision}")
                elif event.before != state:
                    yield violation("lost", name, f"from {event.before}, it was {state}")
                if event.attempt != attempt:
                    attempt, fraction = event.attempt, 0.0
                state, revision = event.state, max(revision, event.revision)
            case "tick":
                if event.attempt != attempt:
                    seen = f"a tick of attempt {event.attempt} during attempt {attempt}"
                    yield violation("out of order", name, seen)
                elif event.fraction < fraction:
                    seen = f"from {fraction:.3f} back to {event.fraction:.3f}"
                    yield violation("out of order", name, seen)
                fraction = max(fraction, event.fraction)
            case _:
                yield violation("unexpected", name, event.kind)


def _batch(events: list[WatchEvent]) -> Iterator[Violation]:
    done, total = 0, 0
    for event in events:
        name = f"watch {event.watch} of batch {event.target}"
        if event.kind == "over":
            if done < total:
                yield violation("lost", name, f"it ended with {done} of {total} done")
            continue
        if event.kind != "batch":
            continue
        if total and event.total != total:
            yield violation("unexpected", name, f"{event.total} jobs, {total} before")
        if event.done < done:
            yield violation("out of order", name, f"{event.done} are done after {done}")
        total, done = event.total, max(done, event.done)
