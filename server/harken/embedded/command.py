"""The command `harken up`."""

import os
import signal
import threading
import time
from pathlib import Path

import click

STOPPED_BY = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@click.command()
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where everything is kept. [~/.local/share/harken]",
)
@click.option(
    "--listen",
    metavar="HOST:PORT",
    help="Where to listen; port 0 takes a free one. [127.0.0.1:50051]",
)
@click.option(
    "--media-root",
    "media_roots",
    multiple=True,
    type=click.Path(exists=True, file_okay=False),
    help="A folder below which files may be submitted; repeat it for more. [the current folder]",
)
@click.option(
    "--insecure", is_flag=True, help="Listen beyond this machine without TLS or authentication."
)
@click.option("--concurrency", type=click.IntRange(min=1), help="Jobs to run at once.")
def up(
    data_dir: Path | None,
    listen: str | None,
    media_roots: tuple[str, ...],
    insecure: bool,
    concurrency: int | None,
) -> None:
    """Run the whole system on this machine: Redis, database, server, workers and beat.

    Of the environment only HARKEN_* counts here. Ctrl-C stops everything.
    """
    from harken.embedded.data_folder import DataFolder, FolderInUse, default_data_folder
    from harken.embedded.part import PartFailed
    from harken.embedded.redis_server import NoRedis
    from harken.embedded.system import NotReady, running_system
    from harken.server.access import exposure
    from harken.server.access.exposure import TooOpen
    from harken.server.command import given_secrets, settings_of
    from harken.server.serve import CannotListen
    from harken.telemetry.logs import masked

    began = time.monotonic()
    stop = threading.Event()
    for number in STOPPED_BY:
        signal.signal(number, lambda *_: stop.set())
    try:
        with DataFolder(data_dir or default_data_folder()) as folder:
            given = given_secrets(os.environ)
            own_database = not given.get("HARKEN_DATABASE_URL")
            settings = settings_of(
                fallbacks=False,
                listen=listen,
                media_roots=media_roots or None,
                insecure=insecure or None,
                concurrency=concurrency,
                database_url=given.get("HARKEN_DATABASE_URL") or folder.database_url,
                broker_url=given.get("HARKEN_BROKER_URL") or "",
                backup_dir=os.environ.get("HARKEN_BACKUP_DIR")
                or (str(folder.path / "backups") if own_database else None),
                storage_url=None
                if os.environ.get("HARKEN_STORAGE_URL")
                else (folder.path / "storage").as_uri(),
            )
            exposure.check(settings)
            with running_system(settings, folder) as system:
                ready_s = time.monotonic() - began
                click.echo(f"harken is ready on {system.address} after {ready_s:.1f} s.")
                click.echo(f"  files below  {', '.join(settings.media_roots)}")
                click.echo(f"  data and logs in  {folder.path}")
                if settings.ways_in:
                    database_url = masked(settings.database_url)
                    click.echo(f"  keys  HARKEN_DATABASE_URL={database_url} harken keys create …")
                click.echo("  Ctrl-C stops everything.")
                for name in system.watch(stop):
                    click.echo(f"{name} had ended and was started again.", err=True)
                click.echo("Stopping …")
            click.echo("Stopped.")
    except (FolderInUse, CannotListen, TooOpen, NoRedis, NotReady, PartFailed) as error:
        raise click.ClickException(str(error)) from error
