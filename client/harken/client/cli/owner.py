"""`harken owner`: all that is held of an owner, handed out or deleted; for administrators."""

from pathlib import Path

import click

from harken.client.cli.made_file import follow_and_fetch, output_option
from harken.client.cli.session import Session, pass_session, shared_options
from harken.client.cli.text import plain


@click.group()
def owner() -> None:
    """Export or erase all that is held of an owner."""


@owner.command("export")
@click.argument("owner_id", metavar="ID")
@output_option
@shared_options
@pass_session
def export_owner(session: Session, owner_id: str, output: Path) -> None:
    """Write all that is held of an owner to an archive: rows, uploads, files that jobs made."""
    with session.connect() as client:
        handle = client.owners.export(owner_id)
        raise click.exceptions.Exit(follow_and_fetch(client, session, handle.job, output))


@owner.command("erase")
@click.argument("owner_id", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
@output_option
@shared_options
@pass_session
def erase_owner(session: Session, owner_id: str, yes: bool, output: Path) -> None:
    """Delete all that is held of an owner, and fetch a receipt.

    The owner's open jobs are cancelled first. Nothing of it can be brought back but from a backup.
    """
    if not yes:
        click.confirm(f"Delete all that is held of {plain(owner_id)}?", abort=True, err=True)
    with session.connect() as client:
        handle = client.owners.erase(owner_id)
        raise click.exceptions.Exit(follow_and_fetch(client, session, handle.job, output))
