"""How many bytes an owner keeps: those that are complete, each once, and what has arrived of the others."""

from sqlalchemy import Connection, func, select

from harken.jobs.store.schema import BLOBS, UPLOAD_PARTS


def stored_bytes(connection: Connection, *, owner: str) -> int:
    """The bytes of an owner."""
    # PostgreSQL's sums are of a type of their own, which does not mix with floats.
    return sum(
        int(
            connection.execute(
                select(func.coalesce(func.sum(table.c.size), 0)).where(table.c.owner == owner)
            ).scalar_one()
        )
        for table in (BLOBS, UPLOAD_PARTS)
    )
