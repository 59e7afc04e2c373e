"""A database as the job domain uses it: short write transactions, and reads that see one moment."""

import sqlite3
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import NullPool, QueuePool

from harken.jobs.store.transaction import last_writes

BUSY_TIMEOUT_MS = 30_000  # how long a SQLite writer waits for its turn
POOL_SIZE = 5
TRUSTED_FOR_S = 1.0  # a connection that was at work until then is taken to be alive: asking costs as much as a query


class Database:
    """The engine behind one URL.

    `pooled=False` opens a connection for each transaction: for processes that fork, since no connection may cross a
    fork.
    """

    def __init__(self, url: str, *, pooled: bool = True) -> None:
        self.engine = _engine(url, pooled=pooled)
        self.dialect = self.engine.dialect.name

    @contextmanager
    def write(self) -> Generator[Connection]:
        """A write transaction: committed at the end, rolled back on an error."""
        with self.engine.connect() as connection:
            connection = connection.execution_options(harken_write=True)
            with connection.begin(), last_writes(connection):
                yield connection

    @contextmanager
    def statement(self) -> Generator[Connection]:
        """For one statement that writes: PostgreSQL commits it by itself, without a trip for its begin and its end."""
        with self._bare_statement() if self.dialect == "postgresql" else self.write() as connection:
            yield connection

    @contextmanager
    def read(self) -> Generator[Connection]:
        """A read transaction, in which all reads see the same moment."""
        with self.engine.connect() as connection:
            if self.dialect == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextmanager
    def query(self) -> Generator[Connection]:
        """For a single query, in the same way."""
        with self._bare_statement() if self.dialect == "postgresql" else self.read() as connection:
            yield connection

    @contextmanager
    def _bare_statement(self) -> Generator[Connection]:
        with self.engine.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def bare(self) -> Generator[Any]:
        """A connection of the driver's own, without a transaction around: for what cannot be done within one."""
        connection = self.engine.raw_connection()
        driver: Any = connection.dbapi_connection
        connection.detach()  # it does not come back to the pool with other habits
        try:
            if self.dialect == "postgresql":
                driver.autocommit = True
            yield driver
        finally:
            connection.close()

    def close(self) -> None:
        """Closes the pooled connections."""
        self.engine.dispose()


def _engine(url: str, *, pooled: bool) -> Engine:
    parsed = make_url(url)
    if parsed.drivername in {"postgres", "postgresql"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    options: dict[str, Any] = {"poolclass": NullPool}
    if pooled:
        options = {"poolclass": QueuePool, "pool_size": POOL_SIZE}
    # An error's text goes to the log: the statement may be there, what was to be written may not.
    engine = create_engine(parsed, hide_parameters=True, **options)
    if pooled:
        _ping_idle_connections(engine)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _ping_idle_connections(engine: Engine) -> None:
    """Replaces connections that died while nobody used them."""

    def note(_connection: Any, record: Any) -> None:
        record.info["used_at"] = time.monotonic()

    def check(connection: Any, record: Any, _proxy: Any) -> None:
        if time.monotonic() - record.info.get("used_at", 0.0) < TRUSTED_FOR_S:
            return
        try:
            alive = engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error:
            alive = False
        if not alive:
            raise DisconnectionError  # the pool opens another one

    event.listen(engine, "connect", note)
    event.listen(engine, "checkin", note)
    event.listen(engine, "checkout", check)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver would begin transactions by itself, and too late: `_begin_sqlite` does it.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}").close()
    connection.execute("PRAGMA synchronous=FULL").close()
    connection.execute("PRAGMA foreign_keys=ON").close()
    if connection.execute("PRAGMA page_count").fetchone() == (0,):
        # A new file: what is deleted from it can be given back bit by bit. Asked of an old one, it waits for writers.
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL").close()
    give_up = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
        except sqlite3.OperationalError:
            # The first change of a new file's mode does not wait for others by itself.
            if time.monotonic() > give_up:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    # A writer that begins as a reader can fail in the middle when another writer was first.
    write = connection.get_execution_options().get("harken_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
