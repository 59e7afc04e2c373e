"""`harken stats`: what a batch, or all that matches, is like."""

import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harken.client.cli import exit_codes
from harken.client.cli.params import STATES, batch_option, ended_options, label_option
from harken.client.cli.session import Session, pass_session, shared_options
from harken.client.cli.statistics_lines import statistics_lines
from harken.client.cli.text import plain
from harken.client.cli.transfer import Transfer
from harken.client.cli.watching import follow_job
from harken.client.collection import CollectionStatistics
from harken.client.errors import RequestRefused

if TYPE_CHECKING:
    from harken.client.sync import Client

_TOO_LARGE = "COLLECTION_TOO_LARGE"
_PAGE = "report.html"
_FIGURES = "statistics.json"


@click.command()
@batch_option
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(STATES, case_sensitive=False),
    help="Only jobs in this state; may be given several times.",
)
@ended_options
@label_option
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    metavar="FILE.html",
    help="Have a page with plots made, and write it to this file or folder.",
)
@click.option("--title", default="", help="The title of the page. [default: what is asked for]")
@shared_options
@pass_session
def stats(
    session: Session,
    batch: str | None,
    states: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    labels: Mapping[str, str],
    report: Path | None,
    title: str,
) -> None:
    """Show what a batch, or all that matches, is like: tempos, keys, loudness, formats, failures.

    Of a large collection, and with --report, the server makes a report, as a job that this command
    follows.
    """
    where: dict[str, Any] = {
        "batch": batch,
        "states": states,
        "labels": labels,
        "ended_after": since,
        "ended_before": until,
    }
    with session.connect() as client:
        found = None if report else _at_once(client, session, where)
        if found is None:
            job = client.collections.submit_report(title=title, **where).job
            code = follow_job(client, session, job)
            if code != exit_codes.DONE:
                raise click.exceptions.Exit(code)
            found = _fetched(client, session, job.job_id, report)
    if session.as_json:
        session.emit(found)
        return
    for line in statistics_lines(found):
        click.echo(line)


def _at_once(
    client: "Client", session: Session, where: Mapping[str, Any]
) -> CollectionStatistics | None:
    """The statistics; None for a collection that takes a report."""
    try:
        return client.collections.statistics(**where)
    except RequestRefused as error:
        if error.reason != _TOO_LARGE:
            raise
    if not session.as_json:
        click.echo("Much to count: a report is made.", err=True)
    return None


def _fetched(
    client: "Client", session: Session, job_id: str, report: Path | None
) -> CollectionStatistics:
    """The statistics that a report has found; its page is written to where it is wanted."""
    from harken.client.collection_request import statistics_of

    made = {artifact.name: artifact for artifact in client.media.artifacts(job_id)}
    if report is not None:
        with Transfer(session, _PAGE, "download") as transfer:
            place = client.media.download(made[_PAGE], report, on_progress=transfer.moved)
        click.echo(plain(str(place)), err=True)
    with tempfile.TemporaryDirectory() as folder:
        return statistics_of(client.media.download(made[_FIGURES], Path(folder)).read_bytes())
