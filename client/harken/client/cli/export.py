"""`harken export`: results as a file."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import click

from harken.client.cli.made_file import follow_and_fetch, output_option
from harken.client.cli.params import STATES, ended_options, label_option, priority_option
from harken.client.cli.session import Session, pass_session, shared_options
from harken.client.export_format import ExportFormat


@click.command()
@click.argument("batch", required=False, metavar="[BATCH]")
@click.option(
    "--format",
    "form",
    type=click.Choice([form.value for form in ExportFormat], case_sensitive=False),
    default=ExportFormat.PARQUET.value,
    show_default=True,
    help="What the file is.",
)
@output_option
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(STATES, case_sensitive=False),
    help="Only jobs in this state; may be given several times. [default: succeeded]",
)
@ended_options
@label_option
@priority_option
@shared_options
@pass_session
def export(
    session: Session,
    batch: str | None,
    form: str,
    output: Path,
    states: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    labels: Mapping[str, str],
    priority: int | None,
) -> None:
    """Write the results of a batch, or of all jobs that match, to a file.

    A row for each analysis. The server makes the file, as a job; this command follows it and
    downloads what it made.
    """
    with session.connect() as client:
        handle = client.exports.submit(
            format=form,
            batch=batch,
            states=states,
            labels=labels,
            ended_after=since,
            ended_before=until,
            priority=priority,
        )
        raise click.exceptions.Exit(follow_and_fetch(client, session, handle.job, output))
