"""Backups of SQLite, by its online backup: a copy of one moment, which no writer waits for."""

import sqlite3
from contextlib import closing
from pathlib import Path

from harken.jobs.errors import BackupFailed
from harken.jobs.store.database import Database
from harken.jobs.store.migrate import VERSION_TABLE

MAGIC = b"SQLite format 3\0"


def write(database: Database, path: Path) -> None:
    """Copies the database. Raises BackupFailed."""
    try:
        with database.bare() as source, closing(sqlite3.connect(path)) as copy:
            source.backup(copy)
            # One file, without a write-ahead log beside it.
            copy.execute("PRAGMA journal_mode=DELETE").close()
    except sqlite3.Error as error:
        raise BackupFailed(f"The backup could not be written: {error}") from error


def check(path: Path) -> str:
    """Reads all of a backup; returns the schema it has. Raises BackupFailed when it is broken."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as backup:
            wrong = [row[0] for row in backup.execute("PRAGMA integrity_check") if row[0] != "ok"]
            wrong += [
                f"a row of {row[0]} refers to none of {row[2]}"
                for row in backup.execute("PRAGMA foreign_key_check").fetchmany(1)
            ]
            if wrong:
                raise BackupFailed(f"{path} is broken: {wrong[0]}")
            return backup.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()[0]
    except sqlite3.Error as error:
        raise BackupFailed(f"{path} is broken, or no backup of harken: {error}") from error
    except TypeError as error:  # no row
        raise BackupFailed(f"{path} is no backup of harken: it has no schema.") from error


def load(database: Database, path: Path, _revision: str) -> None:
    """Puts the backup in the place of the database's content, all at once. Raises BackupFailed."""
    try:
        with closing(sqlite3.connect(path)) as source, database.bare() as target:
            source.backup(target)
    except sqlite3.Error as error:
        raise BackupFailed(
            f"{path} could not be restored, the database is as it was: {error}."
            " If the database itself is broken, move its files away first."
        ) from error
