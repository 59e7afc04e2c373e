"""`harken maintenance`: what beat sends once a day, done now; and restoring a backup."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from harken.settings import Settings
from harken.tasks.maintenance_opening import errors, opened, settings_of_environment
from harken.tasks.re_embed_command import index_embeddings, re_embed

NEWEST = "newest"
MIB = 1024 * 1024


@click.group()
def maintenance() -> None:
    """Clean up, optimize, back up and restore the database, which comes from the environment."""


maintenance.add_command(re_embed)
maintenance.add_command(index_embeddings)


@maintenance.command("clean-up")
def clean_up() -> None:
    """Delete jobs whose retention has passed, as beat has it done every hour."""
    from harken.jobs.upkeep import cleaning

    with opened() as (settings, database):

        def write(work):  # type: ignore[no-untyped-def]
            with database.write() as connection:
                return work(connection)

        done = cleaning.clean_up(write, days=settings.retention_days, now=datetime.now(UTC))
    click.echo(f"{done['jobs']} jobs and {done['batches']} batches were deleted.")


@maintenance.command("clean-storage")
@click.option(
    "--orphaned-hours",
    type=click.IntRange(min=1),
    default=24,
    show_default=True,
    help="How old what nobody knows has to be.",
)
def clean_storage(orphaned_hours: int) -> None:
    """Delete uploads and bytes that nobody needs, as beat has it done, and look for orphans."""
    from harken.jobs.store.system import system_id
    from harken.media.storage import Storage
    from harken.media.storage_errors import StorageError
    from harken.tasks import storage_cleaning

    with opened() as (settings, database):

        def write(work):  # type: ignore[no-untyped-def]
            with database.write() as connection:
                return work(connection)

        def read(work):  # type: ignore[no-untyped-def]
            with database.read() as connection:
                return work(connection)

        try:
            storage = Storage(settings.storage_url, system=read(system_id))
            done = storage_cleaning.delete_expired(write, storage)
            orphans = storage_cleaning.delete_orphans(
                read, storage, orphaned_for=timedelta(hours=orphaned_hours)
            )
        except StorageError as error:
            raise click.ClickException(str(error)) from error
    click.echo(
        f"{done.uploads} uploads, the bytes of {done.blobs} files and {orphans} orphans were deleted."
    )


@maintenance.command()
@click.option("--vacuum", is_flag=True, help="Write all of it anew; others wait meanwhile.")
def optimize(vacuum: bool) -> None:
    """Keep the database quick and small, as beat has it done once a day."""
    from harken.jobs.upkeep import optimization

    with opened() as (_, database):
        done = optimization.vacuum(database) if vacuum else optimization.optimize(database)
    click.echo(f"Done; {done['freed_bytes'] / MIB:,.1f} MiB were given back.")


@maintenance.command()
@click.option("--to", "folder", type=click.Path(path_type=Path), help="[$HARKEN_BACKUP_DIR]")
@click.option("--keep", type=click.IntRange(min=1), help="[$HARKEN_BACKUPS_KEPT, else 7]")
def backup(folder: Path | None, keep: int | None) -> None:
    """Write a backup while harken runs, check it, and delete the oldest ones."""
    from harken.jobs.upkeep import backup as backups

    with opened() as (settings, database):
        made = backups.back_up(
            database,
            _folder(settings, folder),
            keep=keep or settings.backups_kept,
            now=datetime.now(UTC),
        )
    click.echo(f"{made.path}  {made.bytes / MIB:,.1f} MiB, checked")


@maintenance.command("backups")
@click.option("--in", "folder", type=click.Path(path_type=Path), help="[$HARKEN_BACKUP_DIR]")
def list_backups(folder: Path | None) -> None:
    """List the backups, the newest first."""
    from harken.jobs.upkeep import backup as backups

    found = backups.list_backups(_folder(settings_of_environment(), folder))
    for made in found:
        click.echo(f"{made.path}  {made.bytes / MIB:,.1f} MiB")
    if not found:
        click.echo("No backups.", err=True)


@maintenance.command("check-backup")
@click.argument("file", type=click.Path(path_type=Path))
def check_backup(file: Path) -> None:
    """Read all of a backup, and say whether it is whole."""
    from harken.jobs.upkeep import backup as backups

    with errors():
        revision = backups.check(file)
    click.echo(f"{file} is whole; its schema is {revision}.")


@maintenance.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE|newest")
@click.option("--force", is_flag=True, help="Also while servers or workers are at work.")
def restore(file: Path, force: bool) -> None:
    """Put a backup in the place of all that the database holds.

    Stop servers and workers before. What was running when the backup was made waits again, and all
    that waits is handed to Redis anew.
    """
    from harken.jobs.upkeep import backup as backups
    from harken.jobs.upkeep import restore as restoring

    with opened(check=False) as (settings, database):
        if str(file) == NEWEST:
            found = backups.list_backups(_folder(settings, None))
            if not found:
                raise click.ClickException(f"There are no backups in {settings.backup_dir}.")
            file = found[0].path
        restoring.restore(database, file, force=force)
    click.echo(f"{file} was restored.")


def _folder(settings: Settings, given: Path | None) -> Path:
    if given is None and not settings.backup_dir:
        raise click.UsageError("Name a folder for the backups, or set HARKEN_BACKUP_DIR.")
    return given or Path(settings.backup_dir)
