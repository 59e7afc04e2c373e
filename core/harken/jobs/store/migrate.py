"""Bringing a database to the schema of this version, and refusing to work on another one."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from harken.jobs.errors import SchemaMismatch
from harken.jobs.store.database import Database

VERSION_TABLE = "harken_schema_version"
_SCRIPTS = Path(__file__).with_name("migrations")
_LOCK = 0x6861726B  # "hark": the key of PostgreSQL's advisory lock around a migration


def migrate(database: Database, to: str = "head") -> None:
    """Runs the migrations up to a revision; two processes at once do it one after the other."""
    with database.write() as connection:
        if database.dialect == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        command.upgrade(_config(connection), to)


def downgrade(database: Database, to: str) -> None:
    """Takes the schema back to a revision, or to "base"."""
    with database.write() as connection:
        command.downgrade(_config(connection), to)


def check(database: Database) -> None:
    """Raises SchemaMismatch when the database has not the schema of this version."""
    found = revision_of(database)
    wanted = revisions()[-1]
    if found != wanted:
        raise SchemaMismatch(found, wanted)


def revision_of(database: Database) -> str | None:
    """The schema that a database has; None for none."""
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        return context.get_current_revision()


def revisions() -> tuple[str, ...]:
    """The schemas that this version knows, the oldest first."""
    scripts = ScriptDirectory(str(_SCRIPTS)).walk_revisions()
    return tuple(script.revision for script in scripts)[::-1]


def move(database: Database, to: str) -> None:
    """Brings the database to a schema that this version knows, upwards or downwards."""
    known = revisions()
    found = revision_of(database)
    if found is not None and known.index(found) > known.index(to):
        downgrade(database, to)
    else:
        migrate(database, to)


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
