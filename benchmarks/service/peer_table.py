"""The peer's table of jobs, and how it opens a database: what both of its servers share."""

import os
import uuid
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import JSON, DateTime, Engine, Index, String, create_engine, event, make_url
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

POOL_SIZE: Final = 20  # connections; of more, they wait for each other
DATABASE_URL: Final = os.environ.get("PEER_DATABASE_URL", "sqlite://")


class Base(DeclarativeBase):
    """The peer's tables."""


class Job(Base):
    """A job."""

    __tablename__ = "peer_jobs"
    __table_args__ = (Index("peer_jobs_state", "state", "created_at"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=lambda: str(uuid.uuid4()))
    state: Mapped[str] = mapped_column(String(16), default="queued")
    path: Mapped[str] = mapped_column(String(4096))
    features: Mapped[list[str]] = mapped_column(JSON)
    priority: Mapped[int]
    labels: Mapped[dict[str, str]] = mapped_column(JSON)
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), default=lambda: datetime.now(UTC)
    )
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


def make_tables(database_url: str) -> None:
    """Makes the tables in a database."""
    engine = create_engine(_with_driver(database_url, None))
    prepare(engine)
    Base.metadata.create_all(engine)
    engine.dispose()


def options(*, asynchronous: bool) -> tuple[str, dict[str, Any]]:
    """The URL and the options of the engine."""
    url = _with_driver(DATABASE_URL, "aiosqlite" if asynchronous else None)
    return url, {"pool_size": POOL_SIZE, "max_overflow": POOL_SIZE, "pool_timeout": 60}


def prepare(engine: Engine) -> None:
    """SQLite as harken has it: a write-ahead log, every commit on the disk, writers wait for each other."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def set_pragmas(connection: Any, _record: Any) -> None:  # pyright: ignore[reportUnusedFunction] # SQLAlchemy calls it
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()


def _with_driver(url: str, sqlite_driver: str | None) -> str:
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        driver = "postgresql+psycopg"
    else:
        driver = f"sqlite+{sqlite_driver}" if sqlite_driver else "sqlite"
    return parsed.set(drivername=driver).render_as_string(hide_password=False)
