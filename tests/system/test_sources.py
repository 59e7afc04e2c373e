"""Files that a worker fetches, from an HTTPS server of this machine, through the whole system."""

import os
import shutil
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import obstore
import pytest
from obstore.store import S3Store

from harken.client import AsyncClient, ErrorKind, JobState, ProgressTick
from harken.client.errors import HarkenError
from harken.v1 import job_pb2
from tests.data import referring
from tests.data.flac_frames import silent_flac
from tests.media.conftest import ENVIRONMENT, s3_endpoint
from tests.media.https_server import Served, file_of, https_server, status
from tests.system.conftest import HARKEN, System, harken_up

BUCKET = "corpus"
__all__ = ["s3_endpoint"]  # a fixture of the tests of storages
SECRET = "X-Amz-Signature=0123456789abcdef"
INPUT, TRANSIENT = job_pb2.JobError.KIND_INPUT, job_pb2.JobError.KIND_TRANSIENT
SEEN_WITHIN_S = 2.0  # of a cancel: what is promised is 1 s, and the database is asked every 0.25 s


@pytest.fixture(scope="module")
def server(media: Path) -> Iterator[Served]:
    """The server, with a piece of music."""
    with https_server() as served:
        served.answers["/piece.mp3"] = file_of((media / "piece.mp3").read_bytes())
        yield served


@pytest.fixture(scope="module")
def fetching(
    server: Served, s3_endpoint: str, media: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    """A system that may ask it, and a real S3 server; its jobs may take little more memory than they need."""
    folder = tmp_path_factory.mktemp("fetching")
    with harken_up(
        folder / "data",
        media,
        **ENVIRONMENT,
        AWS_ENDPOINT_URL=s3_endpoint,
        SSL_CERT_FILE=str(server.write_ca(folder)),
        HARKEN_SOURCES=f"https://localhost:{server.port},s3://{BUCKET}/open",
        HARKEN_MAX_MEMORY_PER_CHILD="700",
        HARKEN_ALLOW_PRIVATE_SOURCES="127.0.0.0/8,::1/128",
        HARKEN_MAX_RETRIES="1",
    ) as running:
        yield running


def address(server: Served, path: str) -> str:
    return server.url(f"{path}?{SECRET}", "localhost")


def test_an_address_is_analysed_as_the_file_it_leads_to(fetching: System, server: Served) -> None:
    job = fetching.client.submit(address(server, "/piece.mp3"))
    stages = [update.progress.stage for update in job.watch() if isinstance(update, ProgressTick)]
    done = job.wait()
    assert done.state is JobState.SUCCEEDED
    assert done.result.media.container == "mp3"
    assert done.source.uri == address(server, "/piece.mp3")
    of_file = fetching.client.submit("piece.mp3", features=["rhythm"]).wait()
    assert done.result.rhythm == of_file.result.rhythm
    assert stages == sorted(stages, key=["fetch", "decode", "timbre", "rhythm", "summary"].index)


def test_progress_moves_with_the_bytes(fetching: System, server: Served, media: Path) -> None:
    data = (media / "piece.mp3").read_bytes()
    parts = [
        data[start : start + len(data) // 4 + 1]
        for start in range(0, len(data), len(data) // 4 + 1)
    ]
    gates = [threading.Event() for _ in parts]

    def step_by_step(request) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        for gate, part in zip(gates, parts, strict=True):
            assert gate.wait(30)
            request.wfile.write(part)
            request.wfile.flush()

    server.answers["/steps.mp3"] = step_by_step
    job = fetching.client.submit(address(server, "/steps.mp3"), features=["media"])
    seen: list[float] = []
    gates[0].set()
    for update in job.watch():
        fetching_it = isinstance(update, ProgressTick) and update.progress.stage == "fetch"
        if fetching_it and update.progress.fraction > max(seen, default=0.0):
            seen.append(update.progress.fraction)
            gates[min(len(seen), len(gates) - 1)].set()
            assert "MB" in update.progress.message
    assert len(seen) >= 3
    assert seen[0] == pytest.approx(0.2 / 4, abs=0.01)  # a fifth of a job is for fetching
    assert job.wait().state is JobState.SUCCEEDED


def test_a_cancel_while_it_is_fetched_is_seen_at_once(fetching: System, server: Served) -> None:
    left = threading.Event()

    def hang(request) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "1000000")
        request.end_headers()
        request.wfile.write(b"ID3")
        request.wfile.flush()
        request.connection.settimeout(60)
        if request.connection.recv(1) == b"":
            left.set()

    server.answers["/hang.mp3"] = hang
    job = fetching.client.submit(address(server, "/hang.mp3"))
    fetching.until_running(job.job_id)
    begun = time.monotonic()
    job.cancel()
    assert job.wait().state is JobState.CANCELLED
    assert time.monotonic() - begun < SEEN_WITHIN_S
    assert left.wait(10)


def test_what_is_not_there_fails_at_once_and_what_may_be_is_tried_again(
    fetching: System, server: Served
) -> None:
    server.answers["/trouble.mp3"] = status(503)
    missing = fetching.client.submit(address(server, "/none.mp3"))
    trouble = fetching.client.submit(address(server, "/trouble.mp3"))
    failed = fetching.get(missing.wait().job_id)
    assert (failed.error.kind, failed.error.reason) == (INPUT, "SOURCE_NOT_FOUND")
    assert failed.attempt == 1
    assert SECRET not in failed.error.message
    failed = fetching.get(trouble.wait().job_id)
    assert (failed.error.kind, failed.error.reason) == (TRANSIENT, "SOURCE_UNREACHABLE")
    assert failed.attempt == 2


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        (f"https://user:{SECRET}@localhost/a.mp3", "MALFORMED_URI"),
        (f"https://elsewhere.test/a.mp3?{SECRET}", "SOURCE_NOT_ALLOWED"),
        ("https://169.254.169.254/latest/meta-data/", "SOURCE_NOT_ALLOWED"),
        ("s3://bucket/a.mp3", "SOURCE_NOT_ALLOWED"),
        ("https://h/" + "a" * 4096, "MALFORMED_URI"),
    ],
)
def test_an_address_that_is_not_taken_is_refused_at_once(
    fetching: System, uri: str, reason: str
) -> None:
    with pytest.raises(HarkenError) as caught:
        fetching.client.submit(uri)
    assert caught.value.reason == reason
    assert SECRET not in str(caught.value)
    batch = fetching.client.submit_batch([uri, "piece.mp3"], features=["media"])
    assert [(item.index, item.reason) for item in batch.failed_items] == [(0, reason)]


def test_objects_of_a_bucket_are_listed_and_analysed(
    fetching: System, s3_endpoint: str, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**ENVIRONMENT, "AWS_ENDPOINT_URL": s3_endpoint}.items():
        monkeypatch.setenv(name, value)
    urllib.request.urlopen(urllib.request.Request(f"{s3_endpoint}/{BUCKET}", method="PUT")).close()
    store = S3Store(BUCKET)
    for key in ("open/music/piece.mp3", "open/notes.txt", "closed/piece.mp3"):
        obstore.put(store, key, (media / "piece.mp3").read_bytes())
    done = fetching.client.submit(f"s3://{BUCKET}/open/music/piece.mp3", features=["media"]).wait()
    assert done.state is JobState.SUCCEEDED
    (batch,) = fetching.client.submit_folder(f"s3://{BUCKET}/open/", features=["media"])
    assert (batch.wait().succeeded, batch.batch.total) == (1, 1)
    for place in (f"s3://{BUCKET}/", f"s3://{BUCKET}/closed/"):
        with pytest.raises(HarkenError) as caught:
            fetching.client.submit_folder(place)
        assert caught.value.reason == "SOURCE_NOT_ALLOWED"


def test_hostile_files_end_by_themselves_and_within_their_memory(
    fetching: System, media: Path
) -> None:
    """No worker dies of them, and none is kept busy: a healthy file beside them is analysed."""
    days = 30 * 24 * 3600
    hostile = {
        "days-in-few-bytes.flac": silent_flac(rate=1, samples=days),
        "hours-in-few-bytes.flac": silent_flac(rate=8_000, samples=5 * 3600 * 8_000),
        "many-channels.flac": silent_flac(rate=1, samples=days // 8, channels=8),
        "playlist.m3u8": b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n",
        "concat.wav": b"ffconcat version 1.0\nfile /etc/passwd\n",
        "elsewhere.mov": referring.movie_of_another_file(b"/etc/passwd"),
    }
    folder = media / "hostile"
    folder.mkdir(exist_ok=True)
    for name, data in hostile.items():
        (folder / name).write_bytes(data)
    names = [f"hostile/{name}" for name in hostile]
    handle = fetching.client.submit_batch([*names, "piece.flac"])
    batch = handle.wait()
    jobs = {job.path: job for job in fetching.client.list_jobs(batch=batch)}
    assert jobs["piece.flac"].state is JobState.SUCCEEDED
    reasons = {path: job.error.reason for path, job in jobs.items() if job.error}
    assert list(reasons) == names[::-1]
    assert set(reasons.values()) == {"INFLATED", "PLAYLIST", "SOUND_ELSEWHERE"}
    assert {job.error.kind for job in jobs.values() if job.error} == {ErrorKind.INPUT}
    assert {job.attempt for job in jobs.values()} == {1}
    shutil.rmtree(folder)


def test_a_folder_that_the_server_lists_becomes_a_batch(fetching: System, media: Path) -> None:
    (handle,) = fetching.client.submit_folder(f"{media}/*.mp3", features=["media"])
    batch = handle.wait()
    assert (batch.total, batch.succeeded) == (1, 1)
    assert [job.path for job in fetching.client.list_jobs(batch=batch)] == [f"{media}/piece.mp3"]
    assert [one.place for one in fetching.client.media.sources("*.mp3")] == ["piece.mp3"]
    assert fetching.client.submit_folder("*.nothing") == ()


async def test_the_asyncio_client_submits_a_folder_as_well(fetching: System, media: Path) -> None:
    async with AsyncClient(fetching.address) as client:
        (handle,) = await client.submit_folder("**/*.mp3", features=["media"])
        assert (await handle.wait()).succeeded == 1
        assert [one.size async for one in client.media.sources("piece.mp3")] == [
            (media / "piece.mp3").stat().st_size
        ]


def run(system: System, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The command line."""
    environment = {**os.environ, "HARKEN_SERVER": system.address}
    command = [*HARKEN, *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)


def test_harken_submit_takes_folders_patterns_and_addresses(
    fetching: System, server: Served, media: Path
) -> None:
    url = address(server, "/piece.mp3")
    options = ("--features", "media", "--watch")
    for place in ("*.mp3", str(media / "*.mp3"), url):
        done = run(fetching, "submit", place, *options, cwd=media)
        assert done.returncode == 0, done.stderr
        assert SECRET not in done.stdout + done.stderr
    counted = run(fetching, "submit", f"{media}/", "--features", "media", cwd=Path("/"))
    assert "6 files accepted, 0 refused" in counted.stdout
    elsewhere = run(fetching, "submit", "/etc/", "--upload", "never", cwd=media)
    assert elsewhere.returncode == 4
    assert "--media-root" in elsewhere.stderr
    nothing = run(fetching, "submit", "*.nothing", cwd=media)
    assert nothing.returncode == 4
    assert "finds no sound or video files there" in nothing.stderr


def test_no_log_holds_a_signature(fetching: System, server: Served) -> None:
    """After all of the above; the log does say which file it was."""
    logged = "".join(path.read_text() for path in (fetching.data / "logs").iterdir())
    assert server.url("/piece.mp3", "localhost") in logged
    assert SECRET not in logged
