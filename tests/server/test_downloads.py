"""DownloadArtifact and ListArtifacts as their callers see them, and the client's way with them."""

import hashlib
import random
import tracemalloc
import uuid
from datetime import UTC, datetime

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from harken.client import AsyncClient, NotFound
from harken.jobs import execution
from harken.jobs.files import artifacts
from harken.media.storage import BLOCK_BYTES, Storage
from harken.media.storage_errors import StorageOfAnother
from harken.server.serve import running_server
from harken.v1.job_service_pb2 import GetJobRequest
from harken.v1.media_service_pb2 import DownloadArtifactRequest, ListArtifactsRequest
from harken.v1.media_service_pb2_grpc import MediaServiceStub

DATA = random.Random(2).randbytes(BLOCK_BYTES + 12_345)


@pytest.fixture
async def media(served):
    async with grpc.aio.insecure_channel(served.settings.listen) as channel:
        yield MediaServiceStub(channel)


@pytest.fixture
async def made(served):
    """A job that made artifacts of these bytes and names; gives it and them."""

    async def make(**contents):
        job = served.hands.claim(await served.submit())
        storage = Storage(served.settings.storage_url)
        kept = []
        with served.hands.database.write() as connection:
            for name, data in contents.items():
                with storage.new("local") as writer:
                    writer.write(data)
                    blob = writer.finish()
                artifact = artifacts.keep(
                    connection,
                    job.job_id,
                    job.attempt,
                    blob,
                    name=f"{name}.bin",
                    media_type="application/octet-stream",
                    now=datetime.now(UTC),
                )
                kept.append(artifact)
            execution.succeed(connection, job.job_id, job.attempt, {}, datetime.now(UTC))
        return job.job_id, kept

    return make


async def download(media, **request):
    """The artifact and the bytes that come."""
    messages = [
        message async for message in media.DownloadArtifact(DownloadArtifactRequest(**request))
    ]
    assert [message.HasField("artifact") for message in messages] == [
        True,
        *[False] * (len(messages) - 1),
    ]
    return messages[0].artifact, b"".join(message.chunk for message in messages)


async def refusal(call):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    status = status_pb2.Status()
    status.ParseFromString(dict(caught.value.trailing_metadata())["grpc-status-details-bin"])
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    return caught.value.code().name, info.reason


async def test_an_artifact_is_shown_with_its_job_and_sent_whole(made, media, served):
    job_id, [artifact] = await made(report=DATA)
    job = (await served.jobs.GetJob(GetJobRequest(job_id=job_id))).job
    (shown,) = job.artifacts
    assert (shown.artifact_id, shown.name, shown.size) == (
        artifact.artifact_id,
        "report.bin",
        len(DATA),
    )
    assert shown.sha256 == hashlib.sha256(DATA).hexdigest()
    assert await download(media, artifact_id=shown.artifact_id) == (shown, DATA)


@pytest.mark.parametrize(
    ("offset", "length"),
    [(0, 1), (5, 10), (BLOCK_BYTES - 1, 2), (len(DATA) - 1, 100), (len(DATA), 0), (7, 0)],
)
async def test_a_range_is_sent_alone(made, media, offset, length):
    _, [artifact] = await made(report=DATA)
    request = {"artifact_id": artifact.artifact_id, "offset": offset, "length": length}
    _, data = await download(media, **request)
    assert data == DATA[offset : offset + length if length else None]


async def test_what_cannot_be_sent_is_refused(made, media, served):
    _, [artifact] = await made(report=b"abc")
    known = artifact.artifact_id

    async def refused(**request):
        return await refusal(download(media, **request))

    assert await refused(artifact_id=known, offset=4) == ("OUT_OF_RANGE", "OFFSET_PAST_END")
    assert await refused(artifact_id=known, offset=-1) == ("INVALID_ARGUMENT", "NEGATIVE")
    assert await refused(artifact_id="x") == ("INVALID_ARGUMENT", "MALFORMED_ID")
    unknown = str(uuid.uuid4())
    assert await refused(artifact_id=unknown) == ("NOT_FOUND", "ARTIFACT_NOT_FOUND")
    request = ListArtifactsRequest(job_id=unknown)
    assert await refusal(media.ListArtifacts(request)) == ("NOT_FOUND", "JOB_NOT_FOUND")
    storage = Storage(served.settings.storage_url)
    storage.delete([one.key for some in storage.listed() for one in some])
    assert await refused(artifact_id=known) == ("DATA_LOSS", "BYTES_MISSING")


async def test_artifacts_are_listed_in_pages(made, media):
    job_id, kept = await made(a=b"1", b=b"2", c=b"3")
    found, token = [], ""
    while True:
        request = ListArtifactsRequest(job_id=job_id, page_size=2, page_token=token)
        page = await media.ListArtifacts(request)
        found += [artifact.artifact_id for artifact in page.artifacts]
        token = page.next_page_token
        if not token:
            break
    assert found == [artifact.artifact_id for artifact in kept]
    request = ListArtifactsRequest(job_id=job_id, page_token="x")
    assert await refusal(media.ListArtifacts(request)) == ("INVALID_ARGUMENT", "INVALID_TOKEN")


async def test_a_reader_that_stops_costs_the_server_a_block_and_no_file(made, media):
    """Nothing is read ahead of who does not read: the file has four blocks, the server holds one or two."""
    _, [artifact] = await made(report=bytes(4 * BLOCK_BYTES))
    tracemalloc.start()
    try:
        stream = media.DownloadArtifact(DownloadArtifactRequest(artifact_id=artifact.artifact_id))
        for _ in range(4):
            await stream.read()
        _, peak = tracemalloc.get_traced_memory()
        rest = 0
        while (message := await stream.read()) is not grpc.aio.EOF:
            rest += len(message.chunk)
        _, whole_peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert rest > 3 * BLOCK_BYTES
    assert max(peak, whole_peak) < 2.5 * BLOCK_BYTES


async def test_the_client_downloads_into_a_folder_or_a_file(made, served, tmp_path):
    job_id, kept = await made(one=DATA, two=b"")
    told = []
    async with AsyncClient(served.settings.listen) as client:
        listed = [artifact async for artifact in client.media.artifacts(job_id)]
        assert [artifact.artifact_id for artifact in listed] == [a.artifact_id for a in kept]
        folder = tmp_path / "into"
        folder.mkdir()
        place = await client.media.download(
            listed[0], folder, on_progress=lambda *so_far: told.append(so_far)
        )
        assert place == folder / "one.bin"
        assert place.read_bytes() == DATA
        assert told[-1] == (len(DATA), len(DATA))
        named = await client.media.download(listed[1].artifact_id, tmp_path / "named")
        assert named.read_bytes() == b""
        with pytest.raises(NotFound):
            await client.media.download(str(uuid.uuid4()), folder)
    assert [file.name for file in folder.iterdir()] == ["one.bin"]


@pytest.mark.parametrize("name", ["../../evil", "/etc/evil", "..\\evil", "..", "."])
async def test_a_name_that_leads_elsewhere_leads_nowhere(made, served, tmp_path, name):
    """What a server says of a name is no reason to write outside of the folder."""
    _, [artifact] = await made(**{name: b"x"})
    folder = tmp_path / "deep" / "into"
    folder.mkdir(parents=True)
    async with AsyncClient(served.settings.listen) as client:
        place = await client.media.download(artifact.artifact_id, folder)
    assert place.parent == folder
    assert [file.name for file in folder.iterdir()] == [place.name]


async def test_a_server_does_not_start_with_the_storage_of_another(settings):
    Storage(settings.storage_url, system="another").claim()
    with pytest.raises(StorageOfAnother, match="delete that object"):
        async with running_server(settings):
            pass
