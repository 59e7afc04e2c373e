"""`harken serve` as a part of a measurement, on a database that it migrates itself."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.service import parts
from harken.jobs.store.database import Database
from harken.jobs.store.migrate import migrate


def environment(url: str, broker: str, media: Path) -> dict[str, str]:
    """The variables of a server and its workers; the database has harken's schema then."""
    migrate(Database(url, pooled=False))
    return {
        "HARKEN_DATABASE_URL": url,
        "HARKEN_BROKER_URL": broker,
        "HARKEN_MEDIA_ROOTS": str(media),
    }


COMMAND = parts.python("harken.client.cli", "serve", "--listen", "127.0.0.1:0")
READY = r"serving on (\S+)"


@contextmanager
def running(name: str, url: str, broker: str, media: Path, folder: Path) -> Generator[str]:
    """A server until the end; yields its address."""
    given = environment(url, broker, media)
    with parts.running(f"harken-{name}", COMMAND, folder, given) as part:
        yield part.said(READY)
