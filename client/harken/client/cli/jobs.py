"""`harken jobs`, `dead-letters` and `job`: what was submitted, and what became of it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import islice

import click

from harken.client.cli.params import (
    STATES,
    batch_option,
    ended_options,
    job_kind_option,
    kind_option,
    label_option,
)
from harken.client.cli.session import Session, pass_session, shared_options
from harken.client.cli.summary import job_lines, kind_of, result_lines
from harken.client.cli.table import table
from harken.client.cli.text import NOTHING, ago, duration, plain
from harken.client.job import Job

_PAGE_SIZE = 200

_limit_option = click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="At most so many jobs.",
)


@click.command()
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(STATES, case_sensitive=False),
    help="Only jobs in this state; may be given several times.",
)
@kind_option
@job_kind_option
@ended_options
@batch_option
@label_option
@_limit_option
@shared_options
@pass_session
def jobs(
    session: Session,
    states: tuple[str, ...],
    kinds: tuple[str, ...],
    job_kinds: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    batch: str | None,
    labels: Mapping[str, str],
    limit: int,
) -> None:
    """List jobs, the newest first."""
    with session.connect() as client:
        found = client.list_jobs(
            states=states,
            error_kinds=kinds,
            kinds=[kind.replace("-", "_") for kind in job_kinds],
            ended_after=since,
            ended_before=until,
            batch=batch,
            labels=labels,
            page_size=min(limit, _PAGE_SIZE),
        )
        _show(session, islice(found, limit), "No jobs.")


@click.command("dead-letters")
@kind_option
@ended_options
@batch_option
@label_option
@_limit_option
@shared_options
@pass_session
def dead_letters(
    session: Session,
    kinds: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    batch: str | None,
    labels: Mapping[str, str],
    limit: int,
) -> None:
    """List the failures that somebody has to deal with.

    These are jobs that failed, though not for their file's sake, and were neither retried nor
    dismissed. Deal with them by: harken retry, harken dismiss
    """
    with session.connect() as client:
        found = client.list_jobs(
            dead_letters_only=True,
            error_kinds=kinds,
            ended_after=since,
            ended_before=until,
            batch=batch,
            labels=labels,
            page_size=min(limit, _PAGE_SIZE),
        )
        _show(session, islice(found, limit), "No dead letters.")


@click.command()
@click.argument("job_id", metavar="ID")
@shared_options
@pass_session
def job(session: Session, job_id: str) -> None:
    """Show a job and its result."""
    with session.connect() as client:
        found = client.get_job(job_id)
    if session.as_json:
        session.emit(found)
        return
    for line in job_lines(found):
        click.echo(line)
    if found.result is not None:
        click.echo()
        for line in result_lines(found.result):
            click.echo(line)


def _show(session: Session, found: Iterable[Job], none: str) -> None:
    if session.as_json:
        for one in found:
            session.emit(one)
        return
    rows = [_row(one) for one in found]
    if not rows:
        click.echo(none, err=True)
        return
    for line in table(("JOB", "STATE", "AGE", "TOOK", "REMARK", "FILE"), rows):
        click.echo(line)


def _row(job: Job) -> tuple[str, ...]:
    if job.error is not None:
        remark = f"{job.error.kind} {job.error.reason}"
    elif job.progress is not None and not job.state.is_terminal:
        remark = str(job.progress).strip()
    else:
        remark = ""
    took = duration(job.run_time.total_seconds()) if job.run_time else NOTHING
    what = plain(job.place) if job.place else f"({kind_of(job)})"
    return (job.job_id, job.state.lower(), ago(job.create_time), took, plain(remark), what)
