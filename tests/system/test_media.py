"""Files that the server cannot see, sent to it; and what is left when it is killed in the middle."""

import asyncio
import hashlib
import json
import random
import shutil
import subprocess
from pathlib import Path

import grpc
import psutil
import pytest

from harken.client import AsyncClient, InvalidRequest, JobState, NotFound, OutsideRoots
from harken.client.reconnect import Reconnect
from harken.client.sending import Sending
from harken.client.upload import Upload
from harken.media.storage import Storage
from harken.v1.media_service_pb2 import UploadHeader, UploadMediaRequest
from harken.v1.media_service_pb2_grpc import MediaServiceStub
from tests.conftest import eventually
from tests.system.conftest import HARKEN, System, clean_environment, harken_up

MB = 1_000_000
LARGE = 200 * MB


@pytest.fixture(scope="module")
def alone(media: Path, tmp_path_factory: pytest.TempPathFactory):
    """A system that sees none of the test's files."""
    root = tmp_path_factory.mktemp("root")
    with harken_up(tmp_path_factory.mktemp("alone"), root) as running:
        yield running


def run(system: System, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command on that system."""
    return subprocess.run(
        [*HARKEN, *arguments, "--server", system.address],
        capture_output=True,
        text=True,
        env=clean_environment(),
        check=False,
    )


def kept(system: System) -> dict[str, int]:
    """The keys of the storage's bytes, with their sizes."""
    storage = Storage((system.data / "storage").as_uri())
    return {one.key: one.size for some in storage.listed() for one in some}


def test_a_file_that_the_server_cannot_see_is_sent_and_the_second_time_known(alone, media):
    """What a user types: nothing has to be moved, and nothing is analysed twice."""
    file = str(media / "piece.mp3")
    refused = run(alone, "submit", file, "--upload", "never")
    assert refused.returncode != 0
    assert "media root" in refused.stderr
    first = run(alone, "submit", file, "--features", "media,rhythm", "--watch")
    assert first.returncode == 0, first.stderr
    assert "upload" in first.stderr
    before = kept(alone)
    again = run(alone, "submit", file, "--features", "media,rhythm", "--watch", "--json")
    last = json.loads(again.stdout.splitlines()[-1])
    assert (last["state"], last["cached_result"]) == ("JOB_STATE_SUCCEEDED", True)
    assert kept(alone) == before
    fresh = run(
        alone, "submit", file, "--features", "media,rhythm", "--watch", "--json", "--skip-cache"
    )
    last = json.loads(fresh.stdout.splitlines()[-1])
    assert last["state"] == "JOB_STATE_SUCCEEDED"
    assert not last.get("cached_result")


@pytest.mark.parametrize("command", ["batch", "submit"])
def test_a_folder_that_the_server_cannot_see_is_sent_and_known_by_its_names(
    alone, media, tmp_path, command
):
    """Two files of one name, one that is no sound, and one that nobody can read."""
    folder = tmp_path / "library"
    for place in ("a", "b"):
        (folder / place).mkdir(parents=True)
        shutil.copy(media / "piece.mp3", folder / place / "piece.mp3")
    (folder / "b" / "other.mp3").write_bytes((media / "piece.mp3").read_bytes() + command.encode())
    (folder / "broken.wav").write_bytes(b"RIFF" + command.encode())
    options = ["--features", "media", "--label", f"by={command}"]

    refused = run(alone, command, str(folder), *options, "--upload", "never")
    assert refused.returncode != 0
    done = run(alone, command, str(folder), *options, "--watch")

    assert done.returncode == 1, done.stderr
    assert "4 files accepted" in done.stdout
    assert "broken.wav" in done.stdout
    jobs = list(alone.client.list_jobs(labels={"by": command}))
    assert sorted(str(job.filename) for job in jobs) == [
        "broken.wav",
        "other.mp3",
        "piece.mp3",
        "piece.mp3",
    ]
    before = kept(alone)
    again = run(alone, command, str(folder), *options)
    assert "4 files accepted" in again.stdout, again.stderr
    assert kept(alone) == before


def test_a_folder_is_gone_on_with_where_its_sending_was_broken_off(alone, tmp_path):
    """By another process: the ids are those of the contents."""
    folder = tmp_path / "library"
    folder.mkdir()
    file = folder / "large.wav"
    file.write_bytes(random.Random(1).randbytes(100 * MB))
    sender = subprocess.Popen(
        [*HARKEN, "batch", str(folder), "--server", alone.address],
        stderr=subprocess.DEVNULL,
        env=clean_environment(),
    )
    sending = Sending(file, by_content=True, reconnect=Reconnect())
    sending.prepare()

    def some_is_there() -> bool:
        try:
            return alone.client.media.get_upload(sending.upload_id).offset > 0
        except NotFound:
            return False

    eventually(some_is_there)
    sender.kill()
    sender.wait()
    moved: list[int] = []
    upload = alone.client.media.upload(
        file, by_content=True, on_progress=lambda sent, _: moved.append(sent)
    )
    assert moved[0] > MB  # a MB is what a message has
    assert upload.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


def test_every_format_is_analysed_as_an_upload_as_it_is_as_a_file(alone, media):
    for name in ("piece.flac", "piece.mp3"):
        job = alone.client.submit(media / name, features="media").wait(timeout=60)
        assert job.state is JobState.SUCCEEDED, job.error
        assert job.source is not None
        assert job.source.upload_id
    broken = alone.client.submit(media / "broken.wav").wait(timeout=60)
    assert broken.error is not None
    assert broken.error.kind == "INPUT"


def test_a_path_as_text_is_the_servers_and_never_sent(alone, media):
    with pytest.raises(OutsideRoots):
        alone.client.submit(str(media / "piece.mp3"))
    with pytest.raises(OutsideRoots):
        alone.client.submit(media / "piece.mp3", upload="never")


def test_what_cannot_be_read_here_is_told_before_anything_is_sent(alone, tmp_path):
    with pytest.raises(InvalidRequest, match="cannot be read"):
        alone.client.media.upload(tmp_path / "missing.wav")


async def test_the_asyncio_client_sends_files_too(alone, media):
    told: list[tuple[int, int]] = []
    size = (media / "piece.flac").stat().st_size
    async with AsyncClient(alone.address) as client:
        handle = await client.submit(
            media / "piece.flac",
            features="media",
            upload="always",
            on_upload=lambda *so_far: told.append(so_far),
        )
        job = await handle.wait(timeout=60)
        assert job.state is JobState.SUCCEEDED
        assert told[-1] == (size, size)
        upload = await client.media.upload(media / "piece.flac")
        assert (upload.state, upload.size) == ("COMPLETE", size)
        await client.media.delete_upload(upload.upload_id)
        with pytest.raises(InvalidRequest):
            await client.media.upload(media / "missing")


def large_file(folder: Path, seed: int) -> tuple[Path, str]:
    """A large file, and its SHA-256."""
    block = random.Random(seed).randbytes(MB)
    digest = hashlib.sha256()
    path = folder / "large.wav"
    with path.open("wb") as file:
        for number in range(LARGE // MB):
            part = number.to_bytes(8, "big") + block[8:]
            file.write(part)
            digest.update(part)
    return path, digest.hexdigest()


def kill_server(system: System) -> None:
    """Kills the server as the kernel does; `harken up` starts another one."""
    of_system = psutil.Process(system.process.pid).children(recursive=True)
    (server,) = [p for p in of_system if p.cmdline()[1:] == ["-m", "harken.server"]]
    server.kill()


def test_a_server_killed_in_the_middle_of_a_large_upload(alone, tmp_path):
    """The client goes on by itself where the upload stands, and of one that nobody goes on with nothing is left."""
    path, sha256 = large_file(tmp_path, 1)
    before = kept(alone)
    with grpc.insecure_channel(alone.address) as channel:
        gone = iter(
            [
                UploadMediaRequest(header=UploadHeader(filename="gone")),
                UploadMediaRequest(chunk=b"x" * MB),
            ]
        )

        def requests():
            yield from gone
            eventually(lambda: killed, within_s=60)

        killed: list[int] = []
        lost = MediaServiceStub(channel).UploadMedia.future(requests())
        eventually(lambda: len(kept(alone)) > len(before))

        def on_progress(sent: int, _size: int) -> None:
            if LARGE > sent > LARGE // 2 and not killed:
                killed.append(sent)
                kill_server(alone)

        upload = alone.client.media.upload(path, on_progress=on_progress)
        assert lost.exception() is not None
    assert killed
    assert (upload.state, upload.size, upload.sha256) == ("COMPLETE", LARGE, sha256)

    environment = clean_environment(
        HARKEN_DATABASE_URL=f"sqlite:///{alone.data / 'harken.db'}",
        HARKEN_STORAGE_URL=str(alone.data / "storage"),
    )
    command = [*HARKEN, "maintenance", "clean-storage"]
    cleaned = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert cleaned.stdout.startswith("1 uploads, ")
    new = {key: size for key, size in kept(alone).items() if key not in before}
    assert list(new.values()) == [LARGE]
    alone.client.media.delete_upload(upload.upload_id)


async def test_the_asyncio_client_outlives_its_server_too(alone, tmp_path):
    path, sha256 = large_file(tmp_path, 2)
    killed: list[int] = []

    def on_progress(sent: int, _size: int) -> None:
        if LARGE > sent > LARGE // 2 and not killed:
            killed.append(sent)
            kill_server(alone)

    async with AsyncClient(alone.address) as client:
        upload: Upload = await asyncio.wait_for(
            client.media.upload(path, on_progress=on_progress), timeout=90
        )
        await client.media.delete_upload(upload.upload_id)
    assert killed
    assert upload.sha256 == sha256
