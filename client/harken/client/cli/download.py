"""`harken download`: files that jobs made."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harken.client.cli.session import Session, pass_session, shared_options
from harken.client.cli.text import plain
from harken.client.errors import NotFound

if TYPE_CHECKING:
    from harken.client.sync import Client


@click.command()
@click.argument("which", metavar="JOB|ARTIFACT")
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    default=Path("."),
    show_default="the current folder",
    help="A folder, made where it is not there, or the file for a single artifact.",
)
@shared_options
@pass_session
def download(session: Session, which: str, to: Path) -> None:
    """Download an artifact, or all artifacts of a job.

    Each file is there once it is whole and its SHA-256 was checked. A file of the same name gives
    way to it.
    """
    with session.connect() as client:
        found = _artifacts(client, which)
        if len(found) > 1:
            _make_folder(to, len(found))
        for artifact_id in found:
            place = client.media.download(artifact_id, to)
            if session.as_json:
                session.emit_data({"artifact_id": artifact_id, "path": str(place)})
            else:
                click.echo(plain(str(place)))


def _make_folder(to: Path, artifacts: int) -> None:
    """Makes the folder that several artifacts need, unless it is there. Raises UsageError."""
    try:
        to.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise click.UsageError(
            f"{artifacts} artifacts need a folder, and {plain(str(to))} is a file."
        ) from None
    except OSError as error:
        raise click.UsageError(f"{plain(str(to))}: {error.strerror}") from None


def _artifacts(client: "Client", which: str) -> Sequence[str]:
    """The ids of the artifacts that are meant. Raises UsageError for a job that has none."""
    try:
        found = [artifact.artifact_id for artifact in client.media.artifacts(which)]
    except NotFound:
        return [which]  # no job: then it is an artifact, or nothing, which its download will say
    if not found:
        raise click.UsageError(f"Job {which} has made no artifacts.")
    return found
