"""The index of the vectors in PostgreSQL: an HNSW graph (Malkov, Yashunin 2018), by the extension pgvector.

The vectors themselves are plain arrays: harken works without the extension, but then each search looks at all vectors.
"""

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from harken.jobs.errors import NoVectorIndex
from harken.jobs.store.database import Database

NAME = "harken_embeddings_nearest"
# Half precision halves the index; what is found is measured again in full.
INDEXED = "(vector::halfvec(128))"
INDEX = f"harken_embeddings USING hnsw ({INDEXED} halfvec_ip_ops)"

_STANDS = text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)").bindparams(
    name=NAME
)
_EXTENSION = text("SELECT 1 FROM pg_extension WHERE extname = 'vector'")
_AVAILABLE = text("SELECT 1 FROM pg_available_extensions WHERE name = 'vector'")


def stands(connection: Connection) -> bool:
    """Whether the index is there and whole."""
    return bool(connection.execute(_STANDS).scalar())


def has_extension(connection: Connection) -> bool:
    """Whether the database has pgvector."""
    return connection.execute(_EXTENSION).scalar() is not None


def try_to_create(connection: Connection) -> bool:
    """Makes the index of an empty table, and before it the extension; False where there is none, or no right to."""
    if not has_extension(connection):
        if connection.execute(_AVAILABLE).scalar() is None:
            return False
        try:
            with connection.begin_nested():
                connection.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
        except DBAPIError:
            return False
    try:
        with connection.begin_nested():
            connection.execute(text(f"CREATE INDEX {NAME} ON {INDEX}"))
    except DBAPIError:  # a pgvector from before halfvec
        return False
    return True


def build(database: Database, *, memory_mb: int, workers: int) -> None:
    """Makes the index anew while others go on reading and writing; what it takes grows with the vectors.

    Raises NoVectorIndex where it cannot be had, saying what to do.
    """
    if database.dialect != "postgresql":
        raise NoVectorIndex("SQLite needs no index: the server has the vectors in its memory.")
    with database.bare() as connection:
        try:
            connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
            connection.execute(f"SET maintenance_work_mem = '{memory_mb}MB'")
            connection.execute(f"SET max_parallel_maintenance_workers = {workers}")
            connection.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}")
            connection.execute(f"CREATE INDEX CONCURRENTLY {NAME} ON {INDEX}")
            # Else the planner knows nothing of a table just filled, and looks at all vectors of an owner.
            connection.execute("ANALYZE harken_embeddings")
        except database.engine.dialect.loaded_dbapi.Error as error:
            raise NoVectorIndex(
                f"PostgreSQL refused: {str(error).strip()}. The index needs the extension pgvector, 0.7 or newer:"
                " install it beside PostgreSQL (package postgresql-NN-pgvector), have a superuser run"
                " CREATE EXTENSION vector in this database, and repeat the command."
            ) from error
