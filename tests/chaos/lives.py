"""How jobs stood over time, by their logs."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.chaos.history import CANCELLING, RUNNING, FinalJob, History, Logged
from tests.chaos.spans import Span, merged


@dataclass(frozen=True, kw_only=True)
class Stay:
    """A job in one state."""

    row: Logged  # that began it
    begun: float
    ended: float  # or the end of the run


def stays(history: History, job: FinalJob) -> Iterator[Stay]:
    """The states of a job, one after the other."""
    if not job.log:
        return
    ends = [row.time for row in job.log[1:]] + [max(history.setup.ended, job.log[-1].time)]
    for row, end in zip(job.log, ends, strict=True):
        yield Stay(row=row, begun=row.time, ended=max(end, row.time))


def full(history: History) -> list[Span]:
    """When every slot was taken."""
    steps: list[tuple[float, int]] = []
    for job in history.final:
        for stay in stays(history, job):
            if stay.row.after in (RUNNING, CANCELLING):
                steps += [(stay.begun, 1), (stay.ended, -1)]
    spans: list[Span] = []
    taken, since = 0, None
    for time, step in sorted(steps):
        taken += step
        if taken >= history.setup.slots and since is None:
            since = time
        elif taken < history.setup.slots and since is not None:
            spans.append((since, time))
            since = None
    return merged(spans)
