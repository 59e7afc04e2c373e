"""Following a job that makes a file, and fetching that."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from harken.client.cli import exit_codes
from harken.client.cli.session import Session
from harken.client.cli.text import plain
from harken.client.cli.transfer import Transfer
from harken.client.cli.watching import follow_job
from harken.client.job import Job

if TYPE_CHECKING:
    from harken.client.sync import Client

output_option = click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("."),
    show_default="the current folder",
    help="The file to write, or a folder for it.",
)


def follow_and_fetch(client: "Client", session: Session, job: Job, output: Path) -> int:
    """Shows a job up to its end and downloads what it made; gives the exit code."""
    code = follow_job(client, session, job)
    if code != exit_codes.DONE:
        return code
    for artifact in client.media.artifacts(job):
        with Transfer(session, artifact.name, "download") as transfer:
            place = client.media.download(artifact, output, on_progress=transfer.moved)
        if session.as_json:
            session.emit_data({"artifact_id": artifact.artifact_id, "path": str(place)})
        else:
            click.echo(plain(str(place)))
    return code
