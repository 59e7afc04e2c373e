"""Storages to keep bytes in: a folder, and a bucket of a real S3 server in a process of its own."""

import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from harken.media.storage import Storage
from tests.conftest import eventually

# What moto takes from anybody; the library has to be told some, or it would look for those of a machine at AWS.
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": "us-east-1",
    "AWS_ALLOW_HTTP": "true",
}


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """The address of moto's S3."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: _answers(address), within_s=60)
        yield address
    finally:
        process.terminate()
        process.wait()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/moto-api/") as response:
            return response.status == 200
    except (urllib.error.URLError, ConnectionError):
        return False


@pytest.fixture
def s3_environment(s3_endpoint: str) -> dict[str, str]:
    """What a process has to have in its environment to reach it."""
    return {**ENVIRONMENT, "AWS_ENDPOINT_URL": s3_endpoint}


@pytest.fixture
def s3_url(
    s3_endpoint: str, s3_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> str:
    """The URL of a new bucket, which this process can reach."""
    for name, value in s3_environment.items():
        monkeypatch.setenv(name, value)
    bucket = f"harken-{uuid.uuid4().hex[:8]}"
    request = urllib.request.Request(f"{s3_endpoint}/{bucket}", method="PUT")
    urllib.request.urlopen(request).close()
    return f"s3://{bucket}/some/prefix"


@pytest.fixture(params=["folder", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """An empty storage, of each kind in turn."""
    if request.param == "s3":
        return Storage(request.getfixturevalue("s3_url"))
    return Storage((tmp_path / "kept").as_uri())


@pytest.fixture
def is_s3(storage: Storage) -> bool:
    """Whether it is the bucket."""
    return storage.url.startswith("s3:") and bool(os.environ.get("AWS_ENDPOINT_URL"))
