"""Which harken this is: an id made with the database, by which the storage of bytes is told from another's."""

from sqlalchemy import Connection, select

from harken.jobs.store.schema import SYSTEM


def system_id(connection: Connection) -> str:
    """The id."""
    return connection.execute(select(SYSTEM.c.system_id)).scalar_one()
