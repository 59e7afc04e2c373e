"""A server whose disk has no room: uploads are refused, nothing of them stays, and the rest goes on."""

import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harken.client import Client, LimitExceeded, Reconnect
from harken.jobs.store.database import Database
from harken.jobs.store.migrate import migrate
from harken.media.storage import Storage
from tests.conftest import eventually
from tests.system.conftest import clean_environment

ROOM = 4 * 1024 * 1024  # no file gets larger than that


def limit_files() -> None:
    """Has the kernel refuse what is over the room, as a full disk does."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, ROOM))


@pytest.fixture
def small(redis: str, tmp_path: Path):
    """A client of a server with little room."""
    database_url = f"sqlite:///{tmp_path / 'harken.db'}"
    migrate(Database(database_url, pooled=False))
    address = f"unix:{tmp_path / 'harken.sock'}"
    environment = clean_environment(
        HARKEN_DATABASE_URL=database_url,
        HARKEN_BROKER_URL=redis,
        HARKEN_LISTEN=address,
        HARKEN_STORAGE_URL=str(tmp_path / "storage"),
        HARKEN_MEDIA_ROOTS=str(tmp_path),
    )
    log = tmp_path / "server.log"
    with log.open("wb") as lines:
        server = subprocess.Popen(
            [sys.executable, "-m", "harken.server"],
            env=environment,
            stdout=lines,
            stderr=lines,
            preexec_fn=limit_files,
        )

    def serves() -> bool:
        assert server.poll() is None, log.read_text()
        return "serving on" in log.read_text()

    try:
        eventually(serves, within_s=60)
        with Client(address, reconnect=Reconnect(give_up_after=0)) as client:
            yield client
    finally:
        server.terminate()
        server.wait()


def test_what_does_not_fit_is_refused_and_leaves_nothing(small: Client, tmp_path: Path) -> None:
    storage = Storage((tmp_path / "storage").as_uri())

    def sizes() -> list[int]:
        return [one.size for some in storage.listed() for one in some]

    large, little = tmp_path / "large.wav", tmp_path / "little.wav"
    large.write_bytes(bytes(2 * ROOM))
    little.write_bytes(b"fits")
    with pytest.raises(LimitExceeded) as caught:
        small.media.upload(large)
    assert caught.value.reason == "STORAGE_FULL"
    eventually(lambda: sizes() == [])
    small.media.upload(little)
    assert sizes() == [4]
