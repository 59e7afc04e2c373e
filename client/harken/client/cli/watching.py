"""Following jobs and batches to their end, for the commands that do: submit, batch, watch."""

import os
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from harken.client.batch import Batch
from harken.client.cli import exit_codes
from harken.client.cli.session import Session
from harken.client.cli.summary import outcome, result_lines
from harken.client.cli.text import count
from harken.client.cli.view import ItemLines, items_view, view_for
from harken.client.enums import JobState
from harken.client.job import Job
from harken.client.update import BatchSnapshot

if TYPE_CHECKING:
    from harken.client.sync import Client

JOBS_A_PAGE = 1_000
"""Jobs whose names are asked for at once: the server's largest page."""
_COUNTS = ("total", "queued", "running", "succeeded", "failed", "cancelled")


def follow_job(client: "Client", session: Session, job: Job) -> int:
    """Shows a job up to its end, then what was found; gives the exit code."""
    name = os.path.basename(job.place or job.job_id)
    with _goes_on(job.job_id, "the job"):
        with view_for(session, name) as view:
            for update in client.watch(job, on_lost=view.lost):
                view.job(update)
        ended = client.wait(job)
    if session.as_json:
        session.emit(ended)
    else:
        _tell(ended, name)
        for line in result_lines(ended.result) if ended.result else ():
            click.echo(line)
    return exit_codes.DONE if ended.state is JobState.SUCCEEDED else exit_codes.JOB_FAILED


def follow_batches(
    client: "Client", session: Session, batches: Sequence[Batch], title: str, *, items: bool = False
) -> int:
    """Shows batches with one bar up to their end, then lists what failed; gives the exit code.

    With `items` there is no bar, but lines for each job.
    """
    latest = {batch.batch_id: batch for batch in batches}
    with _goes_on(" ".join(latest), "the batch"):
        with items_view(session, title) if items else view_for(session, title) as view:
            for batch in batches:
                if isinstance(view, ItemLines):
                    view.name(client.list_jobs(batch=batch, page_size=JOBS_A_PAGE))
                watch = client.watch_items if items else client.watch_batch
                for update in watch(batch, on_lost=view.lost):
                    if isinstance(update, BatchSnapshot):
                        latest[batch.batch_id] = update.batch
                        view.batch(update, counted_together(latest.values()))
                    else:
                        view.job(update)
        ended = [client.wait_batch(batch) for batch in batches]
    for batch in ended:
        if batch.failed or batch.cancelled:
            _list_failures(client, session, batch)
    whole = counted_together(ended)
    if session.as_json:
        for batch in ended:
            session.emit(batch)
    else:
        click.echo(
            f"{count(whole.total, 'file')}: {whole.succeeded:,} done, {whole.failed:,} failed, "
            f"{whole.cancelled:,} cancelled"
        )
    return exit_codes.DONE if whole.succeeded == whole.total else exit_codes.JOB_FAILED


def counted_together(batches: Iterable[Batch]) -> Batch:
    """The sums of the counts of several batches."""
    several = list(batches)
    sums: dict[str, Any] = {name: sum(getattr(one, name) for one in several) for name in _COUNTS}
    return Batch(**sums)


def _list_failures(client: "Client", session: Session, batch: Batch) -> None:
    failed = client.list_jobs(batch=batch, states=(JobState.FAILED, JobState.CANCELLED))
    for job in sorted(failed, key=lambda job: job.place):
        if session.as_json:
            session.emit(job)
        else:
            _tell(job, job.path or job.filename or job.job_id)


def _tell(job: Job, name: str) -> None:
    """How the job ended, green where it went well; click leaves colours out where they are unwanted."""
    colour = "green" if job.state is JobState.SUCCEEDED else "red"
    click.secho(outcome(job, name), fg=colour)


@contextmanager
def _goes_on(target: str, what: str) -> Generator[None]:
    """Ctrl-C ends the watch and not the work: says so, and how to see it again or stop it."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(
            f"\nStopped watching; {what} goes on.\n"
            f"  see it again:  harken watch {target}\n"
            f"  cancel it:     harken cancel {target}",
            err=True,
        )
        raise click.exceptions.Exit(exit_codes.INTERRUPTED) from None
