"""Backups: a folder of them, each written whole, checked, and only then given its name; the oldest go."""

import os
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from harken.jobs.errors import BackupFailed
from harken.jobs.store.database import Database
from harken.jobs.store.migrate import revisions
from harken.jobs.upkeep import backup_postgresql, backup_sqlite

NAME = re.compile(r"harken-(\d{8}T\d{6}Z)\.(sqlite|pgdump)")
TIME = "%Y%m%dT%H%M%SZ"
PARTIAL = ".partial-"
FORGOTTEN_AFTER = timedelta(days=1)  # no backup takes longer to write


@dataclass(frozen=True, kw_only=True)
class Backup:
    """A backup in its folder."""

    path: Path
    time: datetime
    bytes: int


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """How backups of one kind of database are written, checked and restored."""

    suffix: str
    write: Callable[[Database, Path], None]
    revision: Callable[[Path], str]
    load: Callable[[Database, Path, str], None]


_KINDS = {
    "sqlite": _Kind(
        suffix="sqlite",
        write=backup_sqlite.write,
        revision=backup_sqlite.check,
        load=backup_sqlite.load,
    ),
    "postgresql": _Kind(
        suffix="pgdump",
        write=backup_postgresql.write,
        revision=backup_postgresql.check,
        load=backup_postgresql.load,
    ),
}


def back_up(database: Database, folder: Path, *, keep: int, now: datetime) -> Backup:
    """Writes a checked backup while others work, and deletes all but the `keep` newest. Raises BackupFailed."""
    kind = _KINDS[database.dialect]
    path = folder / f"harken-{now.astimezone(UTC).strftime(TIME)}.{kind.suffix}"
    partial = folder / f"{PARTIAL}{os.getpid()}-{path.name}"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial.touch(mode=0o600)
        kind.write(database, partial)
        kind.revision(partial)
        _keep(partial)
        partial.replace(path)
        _keep(folder)
    except OSError as error:
        raise BackupFailed(f"The backup could not be written to {folder}: {error}") from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    _delete_old(folder, keep, now)
    return _backup(path)


def list_backups(folder: Path) -> tuple[Backup, ...]:
    """The backups in a folder, the newest first."""
    if not folder.is_dir():
        return ()
    found = [_backup(path) for path in folder.iterdir() if NAME.fullmatch(path.name)]
    return tuple(sorted(found, key=lambda backup: backup.time, reverse=True))


def check(path: Path) -> str:
    """Reads all of a backup; returns the schema it has. Raises BackupFailed when it is broken."""
    return _kind_of(path).revision(path)


def load(database: Database, path: Path) -> None:
    """Puts a backup in the place of all that the database holds. Raises BackupFailed, before it changes anything."""
    kind = _kind_of(path)
    if kind is not _KINDS[database.dialect]:
        raise BackupFailed(f"{path} is no backup of {database.dialect}, which the database is.")
    revision = kind.revision(path)
    if revision not in revisions():
        raise BackupFailed(
            f"{path} has schema {revision}, which this harken does not know."
            " Restore it with the version that made it, or a newer one."
        )
    kind.load(database, path, revision)


def _kind_of(path: Path) -> _Kind:
    try:
        with path.open("rb") as file:
            is_sqlite = file.read(len(backup_sqlite.MAGIC)) == backup_sqlite.MAGIC
    except OSError as error:
        raise BackupFailed(f"{path} cannot be read: {error.strerror}.") from error
    return _KINDS["sqlite" if is_sqlite else "postgresql"]


def _backup(path: Path) -> Backup:
    time = datetime.strptime(path.name.split("-")[1].split(".")[0], TIME).replace(tzinfo=UTC)
    return Backup(path=path, time=time, bytes=path.stat().st_size)


def _delete_old(folder: Path, keep: int, now: datetime) -> None:
    for backup in list_backups(folder)[keep:]:
        backup.path.unlink(missing_ok=True)
    for left in folder.glob(f"{PARTIAL}*"):  # of a process that was killed
        with suppress(OSError):
            if now.timestamp() - left.stat().st_mtime > FORGOTTEN_AFTER.total_seconds():
                left.unlink()


def _keep(path: Path) -> None:
    """Returns once the disk has it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
