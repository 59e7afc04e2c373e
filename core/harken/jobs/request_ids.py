"""What a request_id has made before is found, also when two calls with it come at once."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from harken.jobs.store.transaction import savepoint

T = TypeVar("T")

_TABLES = ("jobs", "batches", "actions")
# How databases name the constraint that a request_id can break: PostgreSQL by its name, SQLite by its columns.
_REQUEST_IDS = tuple(
    name for table in _TABLES for name in (f"harken_{table}_request", f"harken_{table}.request_id")
)


def raced(connection: Connection, make: Callable[[], T]) -> T:
    """Makes something; again when another transaction was first with a request_id, which is found then."""
    while True:
        try:
            with savepoint(connection):
                return make()
        except IntegrityError as error:
            if not any(name in str(error.orig) for name in _REQUEST_IDS):
                raise
