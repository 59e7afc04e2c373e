"""Keeping a database quick and small: statistics for its planner, and room that deleted rows have left."""

from typing import Any

from harken.jobs.store.database import Database
from harken.jobs.store.schema import METADATA

PAGES_AT_ONCE = 2_000  # of 4 kB: moved in a few milliseconds, for which SQLite's writers wait
ROWS_ANALYZED = 1_000  # of an index, so that it takes no longer with millions of jobs


def optimize(database: Database) -> dict[str, int]:
    """Brings the planner's statistics up to date and gives free room back, while others work; returns bytes freed."""
    with database.bare() as connection:
        if database.dialect == "postgresql":
            for table in _tables():
                connection.execute(f"ANALYZE {table}")
            return {"freed_bytes": 0}  # autovacuum keeps the room for new rows
        connection.execute(f"PRAGMA analysis_limit={ROWS_ANALYZED}").close()
        connection.execute("ANALYZE").close()
        before = _size(connection)
        _vacuum_by_and_by(connection)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
        return {"freed_bytes": before - _size(connection)}


def vacuum(database: Database) -> dict[str, int]:
    """Writes the whole database anew, without room between the rows; others wait meanwhile. Returns bytes freed."""
    with database.bare() as connection:
        if database.dialect == "postgresql":
            before = _postgresql_size(connection)
            for table in _tables():
                connection.execute(f"VACUUM (FULL, ANALYZE) {table}")
            return {"freed_bytes": before - _postgresql_size(connection)}
        before = _size(connection)
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL").close()
        connection.execute("VACUUM").close()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
        return {"freed_bytes": before - _size(connection)}


def _vacuum_by_and_by(connection: Any) -> None:
    """Gives free pages back, a few at a time; a file that older versions made needs `vacuum` once."""
    free = _pragma(connection, "freelist_count")
    while free:
        # Each row that is fetched is a page given back.
        connection.execute(f"PRAGMA incremental_vacuum({PAGES_AT_ONCE})").fetchall()
        left = _pragma(connection, "freelist_count")
        if left >= free:
            return
        free = left


def _size(connection: Any) -> int:
    return _pragma(connection, "page_count") * _pragma(connection, "page_size")


def _pragma(connection: Any, name: str) -> int:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def _postgresql_size(connection: Any) -> int:
    sizes = ", ".join(f"pg_total_relation_size('{table}')" for table in _tables())
    return sum(connection.execute(f"SELECT {sizes}").fetchone())


def _tables() -> list[str]:
    return [table.name for table in METADATA.sorted_tables]
