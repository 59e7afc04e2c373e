"""Uploads where the storage is a bucket: pieces that are joined, workers' copies, and nothing that is left."""

import asyncio
import hashlib
import random
from dataclasses import replace

import grpc
import pytest

from harken.jobs.files import uploads
from harken.jobs.store.schema import UPLOADS
from harken.server.media import reception
from harken.tasks.sources import open_source
from harken.v1.job_service_pb2 import SubmitAnalysisRequest
from harken.v1.media_pb2 import Upload
from harken.v1.source_pb2 import Source
from tests.media.conftest import s3_endpoint, s3_environment, s3_url  # noqa: F401 # fixtures
from tests.server.test_uploads import (
    CHUNK,
    DATA,
    SHA256,
    Sender,
    break_off,
    new_id,
    until,
)


@pytest.fixture
def settings(settings, s3_url):  # noqa: F811 # it is the fixture
    return replace(settings, storage_url=s3_url)


@pytest.fixture
async def sender(served):
    async with grpc.aio.insecure_channel(served.settings.listen) as channel:
        yield Sender(served, channel)


async def test_pieces_are_joined_and_read_by_workers(sender, monkeypatch):
    monkeypatch.setattr(reception, "NOTE_EVERY_BYTES", CHUNK)
    upload_id = new_id()
    upload = await break_off(sender, upload_id, 2 * CHUNK, wait_for_all=True, size=len(DATA))
    assert (upload.state, upload.offset) == (Upload.STATE_RECEIVING, 2 * CHUNK)
    rest = DATA[2 * CHUNK :]
    done = (await sender.send(rest, upload_id=upload_id, offset=2 * CHUNK)).upload
    assert (done.size, done.sha256) == (len(DATA), SHA256)
    assert await asyncio.to_thread(sender.kept) == [DATA]

    request = SubmitAnalysisRequest(source=Source(upload_id=upload_id))
    job = sender.served.hands.claim((await sender.served.jobs.SubmitAnalysis(request)).job.job_id)
    with sender.served.hands.database.read() as connection:
        content = uploads.content_of(connection, upload_id, owner="local")
    fetched = []

    def read():
        on_fetched = lambda *so_far: fetched.append(so_far)  # noqa: E731
        with open_source(sender.served.settings, job, on_fetched, content).file as file:
            return file.read()

    assert await asyncio.to_thread(read) == DATA
    assert fetched[0][0] == 0.0


async def test_an_upload_that_breaks_off_leaves_nothing(sender):
    data = random.Random(3).randbytes(10 << 20)  # more than one part of a multipart upload
    with pytest.raises(grpc.aio.AioRpcError):
        await sender.send(data, chunk=1 << 20, sha256=hashlib.sha256(b"other").hexdigest())
    await until(lambda: asyncio.to_thread(sender.nothing_is_left))
    assert (await sender.send(data, chunk=1 << 20)).upload.size == len(data)


class TestWithoutBucket:
    """The bucket does not exist, or has gone."""

    @pytest.fixture
    def settings(self, settings):
        """Settings with another bucket."""
        return replace(settings, storage_url=settings.storage_url.replace("s3://", "s3://no-"))

    async def test_it_is_told_and_nothing_is_left(self, sender):
        """In the database."""
        code, reason, _ = await sender.refused()
        assert (code, reason) == (grpc.StatusCode.UNAVAILABLE, "STORAGE_UNAVAILABLE")
        assert sender.count(UPLOADS) == 0
