"""Showing what is watched: a live bar on a terminal, plain lines elsewhere, JSON where asked for.

Bars and lines go to stderr, so that stdout holds the results alone.
"""

import os
import sys
from collections.abc import Iterable
from types import TracebackType
from typing import Protocol, Self

import click

from harken.client.batch import Batch
from harken.client.cli.session import Session
from harken.client.cli.text import megabytes, plain
from harken.client.enums import JobState
from harken.client.errors import ServerUnavailable
from harken.client.job import Job, Progress
from harken.client.update import BatchSnapshot, JobSnapshot, JobUpdate, ProgressTick, Transition

LINE_STEP = 0.1
"""Share of the work after which a plain line tells of it again."""


class View(Protocol):
    """Shows one watch."""

    def __enter__(self) -> Self:
        """Begins."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ends, and leaves the terminal as it was."""
        ...

    def job(self, update: JobUpdate) -> None:
        """Shows what happened to a job."""
        ...

    def batch(self, update: BatchSnapshot, whole: Batch, /) -> None:
        """Shows the counts of a batch; `whole` counts all batches that are watched together."""
        ...

    def transfer(self, way: str, sent: int, size: int, /) -> None:
        """Shows how many bytes of a file were sent."""
        ...

    def lost(self, error: ServerUnavailable, /) -> None:
        """Shows that the server is away and is tried again."""
        ...


def view_for(session: Session, title: str) -> View:
    """The view that fits where stderr leads and what was asked for."""
    if session.as_json:
        return JsonLines(session)
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        # rich takes longer to import than all of this.
        from harken.client.cli.bar import LiveBar

        return LiveBar(plain(title))
    return PlainLines(plain(title))


def items_view(session: Session, title: str) -> View:
    """The same for a batch and its jobs, for which a terminal has no room for bars."""
    return JsonLines(session) if session.as_json else ItemLines(plain(title))


class _Quiet:
    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass


class JsonLines(_Quiet):
    """Each update as the message of the stream that brought it, on stdout."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def job(self, update: JobUpdate) -> None:
        """Writes the update."""
        self._session.emit(update)

    def batch(self, update: BatchSnapshot, _whole: Batch, /) -> None:
        """Writes the update."""
        self._session.emit(update)

    def transfer(self, _way: str, _sent: int, _size: int, /) -> None:
        """Writes nothing: the job is what is asked for."""

    def lost(self, _error: ServerUnavailable, /) -> None:
        """Writes nothing: the stream goes on where it was."""


class PlainLines(_Quiet):
    """A line on stderr for each change of state or stage, and for each tenth of the work."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._stage = ""
        self._next = 0.0
        self._lost = False

    def job(self, update: JobUpdate) -> None:
        """Tells of the update if there is enough news in it."""
        self._lost = False
        progress = progress_of(update)
        if progress is None:
            self._say(str(update))
        elif progress.stage != self._stage or progress.fraction >= self._next:
            self._stage = progress.stage
            self._next = progress.fraction + LINE_STEP
            self._say(str(progress).strip())
        if isinstance(update, Transition):
            self._stage, self._next = "", 0.0

    def batch(self, _update: BatchSnapshot, whole: Batch, /) -> None:
        """Tells of the counts when a tenth more has ended."""
        self._lost = False
        share = whole.ended / whole.total if whole.total else 1.0
        if share >= self._next or share >= 1.0:
            self._next = share + LINE_STEP
            self._say(str(BatchSnapshot(batch=whole)))

    def transfer(self, way: str, sent: int, size: int, /) -> None:
        """Tells of the bytes when a tenth more was sent."""
        share = sent / size if size else 1.0
        if share >= self._next:
            self._next = share + LINE_STEP
            self._say(f"{share:4.0%} {way} {megabytes(sent, size)}".strip())

    def lost(self, _error: ServerUnavailable, /) -> None:
        """Tells once that the server is away."""
        if not self._lost:
            self._lost = True
            self._say("the server is away; trying again")

    def _say(self, text: str) -> None:
        click.echo(plain(f"{self._title}: {text}"), err=True)


class ItemLines(PlainLines):
    """Lines of a batch, and of each of its jobs."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self._names: dict[str, str] = {}
        self._items: dict[str, PlainLines] = {}

    def name(self, jobs: Iterable[Job]) -> None:
        """Learns the names of jobs, which updates do not tell."""
        for job in jobs:
            self._names[job.job_id] = plain(
                os.path.basename(job.path or job.filename or job.job_id)
            )

    def job(self, update: JobUpdate) -> None:
        """Tells of the update if there is enough news of its job in it."""
        if isinstance(update, JobSnapshot):
            return
        title = self._names.get(update.job_id, update.job_id)
        self._items.setdefault(update.job_id, PlainLines(title)).job(update)
        if isinstance(update, Transition) and update.to_state.is_terminal:
            del self._items[update.job_id]


def progress_of(update: JobUpdate) -> Progress | None:
    """The progress that an update tells of, if any."""
    match update:
        case ProgressTick():
            return update.progress
        case JobSnapshot() if update.job.state is JobState.RUNNING:
            return update.job.progress
        case _:
            return None
