"""The commands of the server: `harken serve` and `harken migrate`."""

import asyncio
import faulthandler
import logging
import os
from collections.abc import Mapping
from typing import Any

import click

from harken.settings import Settings, SettingsError, secret_names, with_secrets


def settings_of(*, fallbacks: bool = True, **given: Any) -> Settings:
    """Settings of the environment and the command line, with a usage error for what cannot be."""
    try:
        return Settings.from_environment(os.environ, fallbacks=fallbacks, **given)
    except SettingsError as error:
        raise click.UsageError(str(error)) from error


def given_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment with what files hold of its secrets, with a usage error for a file that cannot be."""
    try:
        return with_secrets(environment, secret_names(fallbacks=False))
    except SettingsError as error:
        raise click.UsageError(str(error)) from error


@click.command()
@click.option("--listen", metavar="HOST:PORT", help="Where to listen; port 0 takes a free one.")
@click.option(
    "--media-root",
    "media_roots",
    multiple=True,
    type=click.Path(exists=True, file_okay=False),
    help="A folder below which files may be submitted; repeat it for more. [the current folder]",
)
@click.option(
    "--processes",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Server processes that share the port; more than one need PostgreSQL.",
)
@click.option(
    "--insecure", is_flag=True, help="Listen beyond this machine without TLS or authentication."
)
@click.option("--one-of-several", is_flag=True, hidden=True)  # how they are started
def serve(
    listen: str | None,
    media_roots: tuple[str, ...],
    processes: int,
    insecure: bool,
    one_of_several: bool,
) -> None:
    """Run the gRPC server. Its database, broker and limits come from the environment."""
    from sqlalchemy.exc import OperationalError

    from harken.jobs.errors import SchemaMismatch
    from harken.media.storage_errors import StorageOfAnother
    from harken.server.access import exposure
    from harken.server.access.certificates import CannotSecure
    from harken.server.access.exposure import TooOpen
    from harken.server.event_loop import new_event_loop
    from harken.server.processes import CannotShare, serve_in_processes
    from harken.server.serve import CannotListen
    from harken.server.serve import serve as run
    from harken.telemetry import logs
    from harken.telemetry.endpoint import CannotExpose

    settings = settings_of(
        listen=listen, media_roots=media_roots or None, insecure=insecure or None
    )
    faulthandler.enable()  # a crash in C code leaves its stacks in the log
    logs.configure(settings.log_level, settings.log_format)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        exposure.check(settings)
        if processes > 1:
            serve_in_processes(settings, processes)
        else:
            with asyncio.Runner(loop_factory=new_event_loop) as runner:
                runner.run(run(settings, one_of_several=one_of_several))
    except (
        CannotListen,
        TooOpen,
        CannotSecure,
        CannotExpose,
        CannotShare,
        SchemaMismatch,
        StorageOfAnother,
    ) as error:
        raise click.ClickException(str(error)) from error
    except OperationalError as error:
        raise click.ClickException(f"The database does not answer: {error.orig}") from error


@click.command()
def migrate() -> None:
    """Bring the database to the schema of this version."""
    from sqlalchemy.exc import OperationalError

    from harken.server.serve import prepare

    try:
        prepare(settings_of())
    except OperationalError as error:
        raise click.ClickException(f"The database does not answer: {error.orig}") from error
    click.echo("The database has the schema of this version.")
