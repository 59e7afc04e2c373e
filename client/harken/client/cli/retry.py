"""`harken retry` and `harken dismiss`: what to do about jobs that have ended badly."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import click

from harken.client.action import JobOutcome
from harken.client.cli import exit_codes
from harken.client.cli.params import batch_option, ended_options, kind_option, label_option
from harken.client.cli.session import Session, pass_session, shared_options
from harken.client.cli.text import count, plain

_WHICH = "Name jobs, or say which, such as: harken retry --failed --since 2h"


@click.command()
@click.argument("ids", nargs=-1, metavar="[JOB_ID]...")
@click.option("--failed", is_flag=True, help="All jobs that failed, those apart with a bad file.")
@click.option("--cancelled", is_flag=True, help="All jobs that were cancelled.")
@kind_option
@ended_options
@batch_option
@label_option
@click.option("--dry-run", is_flag=True, help="Do nothing, and show what would be done.")
@click.option("--force", is_flag=True, help="Also what was retried or dismissed before.")
@shared_options
@pass_session
def retry(
    session: Session,
    ids: tuple[str, ...],
    failed: bool,
    cancelled: bool,
    kinds: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    batch: str | None,
    labels: Mapping[str, str],
    dry_run: bool,
    force: bool,
) -> None:
    """Run jobs once more that have ended, as new jobs.

    Name jobs, or say which with --failed, --cancelled or both; --kind, --since, --until, --batch
    and --label narrow that down. What was retried before is left out.
    """
    states = [word for word, given in (("FAILED", failed), ("CANCELLED", cancelled)) if given]
    narrowed = bool(kinds or since or until or batch or labels)
    if ids and (states or narrowed):
        raise click.UsageError("Name jobs, or say which: not both.")
    if not ids and not states:
        raise click.UsageError(_WHICH)
    with session.connect() as client:
        if ids:
            outcomes = client.retry_jobs(ids, force=force, dry_run=dry_run)
        else:
            outcomes = client.retry_matching(
                states=states,
                error_kinds=kinds,
                ended_after=since,
                ended_before=until,
                batch=batch,
                labels=labels,
                force=force,
                dry_run=dry_run,
            )
    done = "would be retried" if dry_run else "retried"
    raise click.exceptions.Exit(_show(session, outcomes, done))


@click.command()
@click.argument("ids", nargs=-1, required=True, metavar="JOB_ID...")
@shared_options
@pass_session
def dismiss(session: Session, ids: tuple[str, ...]) -> None:
    """Take failed jobs off the list of dead letters.

    Nothing else changes about them. See the list with: harken dead-letters
    """
    with session.connect() as client:
        outcomes = client.dismiss_jobs(ids)
    raise click.exceptions.Exit(_show(session, outcomes, "dismissed"))


def _show(session: Session, outcomes: Sequence[JobOutcome], done: str) -> int:
    """Prints what became of each job; gives the exit code."""
    for outcome in outcomes:
        if session.as_json:
            session.emit(outcome)
        else:
            click.echo(_line(outcome, done))
    refused = sum(bool(outcome.reason) for outcome in outcomes)
    if not session.as_json:
        left = f", {refused:,} not" if refused else ""
        click.echo(f"{count(len(outcomes) - refused, 'job')} {done}{left}.", err=True)
    return exit_codes.JOB_FAILED if refused else exit_codes.DONE


def _line(outcome: JobOutcome, done: str) -> str:
    if outcome.reason:
        newer = f" {outcome.new_job_id}" if outcome.new_job_id else ""
        return f"{outcome.job_id}  {outcome.reason}{newer}: {plain(outcome.message)}"
    return f"{outcome.job_id}  {done}" + (f" as {outcome.new_job_id}" if outcome.new_job_id else "")
