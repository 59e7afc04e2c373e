"""The live bar: stage, bar, percent, time, message. The only module that imports rich."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Column

from harken.client.batch import Batch
from harken.client.cli.text import megabytes, plain
from harken.client.cli.view import progress_of
from harken.client.enums import JobState
from harken.client.errors import ServerUnavailable
from harken.client.update import BatchSnapshot, JobSnapshot, JobUpdate, Transition

TITLE_WIDTH = 32


class LiveBar:
    """One bar on stderr, redrawn in place."""

    def __init__(self, title: str) -> None:
        self._progress = Progress(
            TextColumn("{task.fields[title]}", markup=False),
            TextColumn("{task.description}", markup=False, style="cyan"),
            BarColumn(bar_width=30),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn(
                "{task.fields[note]}",
                markup=False,
                style="dim",
                table_column=Column(no_wrap=True, overflow="ellipsis"),
            ),
            console=Console(stderr=True),
        )
        self._task = self._progress.add_task(
            "connecting", total=1.0, title=_shortened(title), note=""
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def job(self, update: JobUpdate) -> None:
        """Moves the bar to where the job is."""
        progress = progress_of(update)
        if progress is not None:
            self._show(plain(progress.stage), progress.fraction, plain(progress.message))
            return
        if isinstance(update, Transition):
            state, error = update.to_state, update.error
        elif isinstance(update, JobSnapshot):
            state, error = update.job.state, update.job.error
        else:
            return
        if state is JobState.QUEUED:  # also from RUNNING, when the attempt was lost
            self._show("queued", 0.0, plain(error.message) if error else "")
        elif state is JobState.SUCCEEDED:
            self._show("done", 1.0, "")
        else:
            self._show(state.lower(), None, "")

    def batch(self, _update: BatchSnapshot, whole: Batch, /) -> None:
        """Moves the bar to the share of jobs that have ended."""
        share = whole.ended / whole.total if whole.total else 1.0
        note = f"{whole.running} running"
        if whole.failed or whole.cancelled:
            note += f", {whole.failed} failed, {whole.cancelled} cancelled"
        self._show(f"{whole.ended:,}/{whole.total:,}", share, note)

    def transfer(self, way: str, sent: int, size: int, /) -> None:
        """Moves the bar to the share of bytes that were moved."""
        self._show(way, sent / size if size else 1.0, megabytes(sent, size))

    def lost(self, _error: ServerUnavailable, /) -> None:
        """Says beside the bar that the server is tried again."""
        self._progress.update(self._task, note="the server is away; trying again")

    def _show(self, description: str, fraction: float | None, note: str) -> None:
        self._progress.update(self._task, completed=fraction, description=description, note=note)


def _shortened(title: str) -> str:
    return title if len(title) <= TITLE_WIDTH else title[: TITLE_WIDTH - 1] + "…"
