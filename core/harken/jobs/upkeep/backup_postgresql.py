"""Backups of PostgreSQL, by its own pg_dump and pg_restore: harken's tables only, of one moment."""

import os
import shutil
import subprocess
from pathlib import Path

from harken.jobs.errors import BackupFailed
from harken.jobs.store.database import Database
from harken.jobs.store.migrate import VERSION_TABLE, move

TABLES = "harken_*"
LONGEST_COMPLAINT = 500  # characters of what a program says


def write(database: Database, path: Path) -> None:
    """Dumps the tables. Raises BackupFailed."""
    options = ["--format=custom", "--no-owner", "--no-privileges", f"--table={TABLES}"]
    _run("pg_dump", *options, f"--file={path}", database=database)


def check(path: Path) -> str:
    """Reads all of a backup; returns the schema it has. Raises BackupFailed when it is broken."""
    _run("pg_restore", f"--file={os.devnull}", str(path))
    rows = _run("pg_restore", "--data-only", f"--table={VERSION_TABLE}", "--file=-", str(path))
    lines = iter(rows.splitlines())
    for line in lines:
        if line.startswith("COPY "):
            return next(lines).strip()
    raise BackupFailed(f"{path} is no backup of harken: it has no schema.")


def load(database: Database, path: Path, revision: str) -> None:
    """Puts the backup in the place of harken's tables, all at once. Raises BackupFailed."""
    # A dump of tables does not hold the function that a trigger of older schemas calls: the migrations make it.
    move(database, revision)
    options = ["--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction"]
    _run("pg_restore", *options, "--exit-on-error", str(path), database=database)


def _run(program: str, *arguments: str, database: Database | None = None) -> str:
    """What the program prints. Raises BackupFailed."""
    binary = shutil.which(program)
    if binary is None:
        raise BackupFailed(
            f"{program} is not installed here. Install PostgreSQL's client programs,"
            " of the server's version or a newer one."
        )
    environment = dict(os.environ)
    options: list[str] = []
    if database is not None:
        url = database.engine.url
        password = url.password or url.query.get("password")
        if password:
            environment["PGPASSWORD"] = str(password)  # others could read an argument
        url = url.set(drivername="postgresql", password=None)
        url = url.difference_update_query(["password"])
        options = [f"--dbname={url.render_as_string(hide_password=False)}"]
    done = subprocess.run(
        [binary, *options, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        complaint = done.stderr.strip()[-LONGEST_COMPLAINT:]
        raise BackupFailed(f"{program} failed: {complaint}")
    return done.stdout
