"""The whole system, started as a user starts it: `harken up`, on SQLite and on PostgreSQL."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import numpy as np
import pytest
import soundfile
from demo.piece import compose, write
from harken.client import Client
from harken.v1.job_service_pb2_grpc import JobServiceStub
from harken.v1.worker_service_pb2_grpc import WorkerServiceStub

from tests.conftest import new_postgresql_database

HARKEN = [sys.executable, "-m", "harken.client.cli"]
READY = re.compile(r"harken is ready on (\S+)")
STOPPED_WITHIN_S = 40


@dataclass(frozen=True)
class System:
    """A running system: where it answers, where it keeps its data, and the process to signal."""

    address: str
    data: Path
    process: subprocess.Popen[str]
    jobs: JobServiceStub
    workers: WorkerServiceStub
    client: Client

    def log(self, part: str) -> str:
        """What a part has logged."""
        return (self.data / "logs" / f"{part}.log").read_text(errors="replace")


def clean_environment(**given: str) -> dict[str, str]:
    """The environment without what would steer harken."""
    names = ("HARKEN_", "CELERY_", "REDIS_", "DATABASE_URL")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(names)}
    return {**kept, **given}


@contextmanager
def harken_up(data: Path, *roots: Path, **environment: str) -> Generator[System]:
    """Runs `harken up` on a free port until the end, then stops it with Ctrl-C."""
    options = [option for root in roots for option in ("--media-root", str(root))]
    process = subprocess.Popen(
        [*HARKEN, "up", "--data-dir", str(data), "--listen", "127.0.0.1:0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=clean_environment(**environment),
    )
    assert process.stdout is not None
    try:
        said: list[str] = []
        for line in process.stdout:
            said.append(line)
            if ready := READY.search(line):
                break
        else:
            pytest.fail("harken up did not get ready:\n" + "".join(said))
        with grpc.insecure_channel(ready[1]) as channel, Client(ready[1]) as client:
            yield System(
                address=ready[1],
                data=data,
                process=process,
                jobs=JobServiceStub(channel),
                workers=WorkerServiceStub(channel),
                client=client,
            )
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.stdout.close()
        process.wait(STOPPED_WITHIN_S)


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A media root with what every clone can make: a short piece, a long one, and a broken file."""
    folder = tmp_path_factory.mktemp("media")
    piece = compose(duration_s=12)
    write(folder / "piece.flac", piece)
    write(folder / "piece.mp3", piece)
    hour = np.tile(piece.samples[::4, 0], 300)
    soundfile.write(folder / "hour.wav", hour, piece.sample_rate // 4)
    (folder / "broken.wav").write_bytes(b"RIFF\x00\x00\x00\x00WAVEnothing of the kind")
    return folder


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def system(
    request: pytest.FixtureRequest, media: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    """One system for all tests of a database, which leave nothing behind that disturbs the others."""
    data = tmp_path_factory.mktemp("data") / "harken"
    if request.param == "sqlite":
        with harken_up(data, media) as running:
            yield running
        return
    server = request.getfixturevalue("postgresql")
    with (
        new_postgresql_database(server) as url,
        harken_up(data, media, HARKEN_DATABASE_URL=url) as running,
    ):
        yield running
