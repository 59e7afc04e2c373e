"""UploadMedia as its callers see it: bytes in, whole or not at all, resumed where they broke off."""

import asyncio
import hashlib
import os
import random
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from sqlalchemy import func, select, text

from harken.jobs.store.schema import BLOBS, UPLOAD_PARTS, UPLOADS
from harken.media.storage import Storage
from harken.server.media import reception
from harken.v1.job_service_pb2 import (
    GetJobRequest,
    SubmitAnalysisRequest,
    SubmitBatchRequest,
)
from harken.v1.media_pb2 import Upload
from harken.v1.media_service_pb2 import (
    DeleteUploadRequest,
    GetUploadRequest,
    UploadHeader,
    UploadMediaRequest,
)
from harken.v1.media_service_pb2_grpc import MediaServiceStub
from harken.v1.source_pb2 import Source

Code = grpc.StatusCode
CHUNK = 64 * 1024
DATA = random.Random(1).randbytes(5 * CHUNK + 7)
SHA256 = hashlib.sha256(DATA).hexdigest()


class Sender:
    """Sends uploads to a server, and looks at what it has kept."""

    def __init__(self, served, channel):
        self.served = served
        self.stub = MediaServiceStub(channel)
        self.storage = Storage(served.settings.storage_url)

    async def begin(self, **header):
        """An upload of which the header was sent."""
        call = self.stub.UploadMedia()
        await call.write(UploadMediaRequest(header=UploadHeader(**header)))
        return call

    async def send(self, data=DATA, chunk=CHUNK, **header):
        """The answer to a whole upload."""
        call = await self.begin(**header)
        if not await call.initial_metadata():
            return await call  # the bytes are not wanted
        for place in range(0, len(data), chunk):
            await call.write(UploadMediaRequest(chunk=data[place : place + chunk]))
        await call.done_writing()
        return await call

    async def refused(self, data=DATA, **header):
        """The code, reason and metadata with which an upload is refused."""
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            # At once: of a write after the refusal gRPC tells nothing but that it failed.
            await self.send(data, chunk=max(len(data), 1), **header)
        return refusal(caught.value)

    async def get(self, upload_id):
        """The upload as the server has it."""
        return (await self.stub.GetUpload(GetUploadRequest(upload_id=upload_id))).upload

    def count(self, table):
        """The number of a table's rows."""
        with self.served.hands.database.read() as connection:
            return connection.execute(select(func.count()).select_from(table)).scalar_one()

    def listed(self):
        """All that the storage has."""
        return [one for some in self.storage.listed() for one in some]

    def kept(self):
        """The bytes of all that the storage has, while nothing of it is deleted."""
        return [b"".join(self.storage.read(one.key, end=one.size)) for one in self.listed()]

    def nothing_is_left(self):
        """Whether neither storage nor database has anything of uploads."""
        return self.listed() == [] and not any(
            self.count(table) for table in (UPLOADS, UPLOAD_PARTS, BLOBS)
        )


def refusal(error):
    status = status_pb2.Status()
    details = dict(error.trailing_metadata())["grpc-status-details-bin"]
    status.ParseFromString(details)
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    return error.code(), info.reason, dict(info.metadata)


async def until(condition, within_s=20.0):
    async with asyncio.timeout(within_s):
        while not await condition():  # noqa: ASYNC110 # what is in the database rings no bell
            await asyncio.sleep(0.01)


@pytest.fixture
async def sender(served):
    async with grpc.aio.insecure_channel(served.settings.listen) as channel:
        yield Sender(served, channel)


def new_id():
    return str(uuid.uuid4())


async def test_a_file_is_kept_with_its_size_and_sha256(sender):
    upload = (await sender.send(filename="a.wav")).upload
    assert (upload.state, upload.filename) == (Upload.STATE_COMPLETE, "a.wav")
    assert (upload.size, upload.offset, upload.sha256) == (len(DATA), len(DATA), SHA256)
    assert sender.kept() == [DATA]
    assert await sender.get(upload.upload_id) == upload
    kept_for = upload.expire_time.ToDatetime(UTC) - datetime.now(UTC)
    assert timedelta(hours=71, minutes=59) < kept_for <= timedelta(hours=72)


async def test_an_empty_file_is_a_file_too(sender):
    assert (await sender.send(b"")).upload.size == 0


async def test_what_was_announced_is_checked(sender):
    upload = (await sender.send(size=len(DATA), sha256=SHA256.upper())).upload
    assert upload.sha256 == SHA256
    code, reason, _ = await sender.refused(DATA + b"x", sha256=SHA256[::-1])
    assert (code, reason) == (Code.INVALID_ARGUMENT, "SHA256_MISMATCH")
    code, reason, _ = await sender.refused(DATA + b"x", size=len(DATA))
    assert (code, reason) == (Code.INVALID_ARGUMENT, "MORE_THAN_ANNOUNCED")
    code, reason, metadata = await sender.refused(DATA, size=len(DATA) + 1)
    assert (code, reason) == (Code.INVALID_ARGUMENT, "UPLOAD_TRUNCATED")
    assert metadata["offset"] == str(len(DATA))
    assert sender.kept() == [DATA]
    assert sender.count(UPLOADS) == 1


async def test_the_same_bytes_are_kept_once_and_known_ones_need_not_be_sent(sender):
    first = (await sender.send()).upload
    again = (await sender.send()).upload
    assert again.upload_id != first.upload_id
    assert sender.kept() == [DATA]
    call = await sender.begin(sha256=SHA256, filename="b.wav")
    known = (await call).upload  # not one byte was sent
    assert (known.state, known.size, known.filename) == (Upload.STATE_COMPLETE, len(DATA), "b.wav")
    assert sender.count(UPLOADS) == 3
    assert sender.kept() == [DATA]


async def test_it_is_submitted_on_completion_and_both_are_there_or_neither(sender):
    request_id = new_id()
    submit = SubmitAnalysisRequest(labels={"a": "b"}, request_id=request_id)
    response = await sender.send(submit=submit, filename="drums.wav")
    assert response.job.source.upload_id == response.upload.upload_id
    job = (await sender.served.jobs.GetJob(GetJobRequest(job_id=response.job.job_id))).job
    assert job.labels == {"a": "b"}
    assert response.job.filename == job.filename == "drums.wav"
    code, reason, _ = await sender.refused(DATA + b"x", submit=submit)
    assert (code, reason) == (Code.ALREADY_EXISTS, "REQUEST_ID_REUSED")
    assert sender.kept() == [DATA]
    assert sender.count(UPLOADS) == 1


async def test_repeating_a_call_for_a_complete_upload_gives_the_same_upload_and_job(sender):
    header = {
        "upload_id": new_id(),
        "submit": SubmitAnalysisRequest(request_id=new_id()),
        "size": len(DATA),
    }
    first = await sender.send(**header)
    again = await sender.send(b"", offset=len(DATA), **header)
    assert (again.upload.upload_id, again.job.job_id) == (
        first.upload.upload_id,
        first.job.job_id,
    )
    code, reason, _ = await sender.refused(b"x", upload_id=header["upload_id"], size=1)
    assert (code, reason) == (Code.ALREADY_EXISTS, "UPLOAD_ID_REUSED")


async def test_an_upload_that_breaks_off_leaves_nothing(sender):
    call = await sender.begin(size=len(DATA))
    await call.write(UploadMediaRequest(chunk=DATA[:CHUNK]))
    await until(lambda: asyncio.to_thread(sender.listed))
    call.cancel()
    await until(lambda: asyncio.to_thread(sender.nothing_is_left))


async def break_off(sender, upload_id, length, *, wait_for_all=False, **header):
    """Sends so many bytes, and goes away; returns the upload once the server knows."""
    call = await sender.begin(upload_id=upload_id, **header)
    offset = header.get("offset", 0)
    for place in range(offset, offset + length, CHUNK):
        end = min(place + CHUNK, offset + length)
        await call.write(UploadMediaRequest(chunk=DATA[place:end]))

    async def arrived():
        with sender.served.hands.database.read() as connection:
            noted = connection.execute(select(UPLOADS.c.received)).scalar_one_or_none()
        return noted == offset + length if wait_for_all else sender.count(UPLOAD_PARTS)

    await until(arrived)
    call.cancel()

    async def free():
        with sender.served.hands.database.read() as connection:
            return connection.execute(select(UPLOADS.c.writer)).scalar_one() is None

    await until(free)
    return await sender.get(upload_id)


async def test_an_upload_with_an_id_is_gone_on_with_where_it_broke_off(sender):
    upload_id = new_id()
    upload = await break_off(sender, upload_id, 2 * CHUNK, size=len(DATA))
    assert upload.state == Upload.STATE_RECEIVING
    offset = upload.offset
    assert 0 <= offset <= 2 * CHUNK
    code, reason, metadata = await sender.refused(b"", upload_id=upload_id, offset=offset + 1)
    assert (code, reason) == (Code.FAILED_PRECONDITION, "OFFSET_MISMATCH")
    assert metadata["offset"] == str(offset)
    done = (
        await sender.send(DATA[offset:], upload_id=upload_id, offset=offset, sha256=SHA256)
    ).upload
    assert (done.state, done.size, done.sha256) == (Upload.STATE_COMPLETE, len(DATA), SHA256)
    assert sender.kept() == [DATA]
    assert sender.count(UPLOAD_PARTS) == 0


async def test_all_came_but_the_end(sender, monkeypatch):
    monkeypatch.setattr(reception, "NOTE_EVERY_BYTES", CHUNK)
    upload_id = new_id()
    chunks = CHUNK * (len(DATA) // CHUNK)  # which are noted one by one
    upload = await break_off(sender, upload_id, chunks, wait_for_all=True, size=chunks)
    assert (upload.state, upload.offset) == (Upload.STATE_RECEIVING, chunks)
    done = (await sender.send(b"", upload_id=upload_id, offset=chunks)).upload
    assert done.sha256 == hashlib.sha256(DATA[:chunks]).hexdigest()


async def test_of_two_that_send_one_upload_one_is_refused(sender):
    upload_id = new_id()
    first = await sender.begin(upload_id=upload_id)
    await first.write(UploadMediaRequest(chunk=DATA[:CHUNK]))

    async def begun():
        return sender.count(UPLOADS)

    await until(begun)
    code, reason, _ = await sender.refused(DATA, upload_id=upload_id)
    assert (code, reason) == (Code.ABORTED, "UPLOAD_BUSY")
    await first.write(UploadMediaRequest(chunk=DATA[CHUNK:]))
    await first.done_writing()
    assert (await first).upload.sha256 == SHA256


async def test_one_that_was_lost_and_comes_back_is_refused_and_spoils_nothing(sender, monkeypatch):
    monkeypatch.setattr(reception, "NOTE_EVERY_BYTES", CHUNK)
    upload_id = new_id()
    lost = await sender.begin(upload_id=upload_id)
    await lost.write(UploadMediaRequest(chunk=DATA[:CHUNK]))

    async def noted():
        try:
            return (await sender.get(upload_id)).offset == CHUNK
        except grpc.aio.AioRpcError:
            return False

    await until(noted)
    with sender.served.hands.database.write() as connection:  # as if its server had hung
        connection.execute(text("UPDATE harken_uploads SET writer_expires_at = '2000-01-01'"))
    done = (await sender.send(DATA[CHUNK:], upload_id=upload_id, offset=CHUNK)).upload
    assert done.sha256 == SHA256
    with pytest.raises(grpc.aio.AioRpcError) as caught:  # noqa: PT012 # whichever is told first
        await lost.write(UploadMediaRequest(chunk=b"x" * CHUNK))
        await lost.done_writing()
        await lost
    assert refusal(caught.value)[:2] == (Code.ABORTED, "UPLOAD_LOST")
    assert sender.kept() == [DATA]


async def test_notes_do_not_change_what_is_kept(sender, monkeypatch):
    monkeypatch.setattr(reception, "NOTE_EVERY_BYTES", CHUNK)
    upload = (await sender.send(upload_id=new_id(), sha256=SHA256)).upload
    assert upload.size == len(DATA)
    assert sender.kept() == [DATA]


async def test_nothing_for_too_long_ends_the_call(sender, monkeypatch):
    monkeypatch.setattr(reception, "LONGEST_SILENCE_S", 0.05)
    for begun in (sender.stub.UploadMedia(), await sender.begin()):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await begun
        assert refusal(caught.value)[:2] == (Code.ABORTED, "UPLOAD_STALLED")
    assert sender.nothing_is_left()


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"upload_id": "x"}, "MALFORMED_ID"),
        ({"offset": 1}, "NO_UPLOAD_ID"),
        ({"offset": -1, "upload_id": new_id()}, "OFFSET_OUT_OF_RANGE"),
        ({"offset": 2, "size": 1, "upload_id": new_id()}, "OFFSET_OUT_OF_RANGE"),
        ({"filename": "a" * 256}, "FILENAME_TOO_LONG"),
        ({"filename": "\0"}, "FILENAME_NUL"),
        ({"size": -1}, "NEGATIVE_SIZE"),
        ({"sha256": "a" * 63}, "MALFORMED_SHA256"),
        ({"submit": SubmitAnalysisRequest(priority=10)}, "PRIORITY_OUT_OF_RANGE"),
        ({"submit": SubmitAnalysisRequest(source=Source(path="a"))}, "SOURCE_OF_UPLOAD"),
    ],
)
async def test_a_malformed_header_is_refused_before_anything_is_kept(sender, header, reason):
    code, found, _ = await sender.refused(b"", **header)
    assert (code, found) == (Code.INVALID_ARGUMENT, reason)
    assert sender.nothing_is_left()


async def test_messages_that_make_no_upload_are_refused(sender):
    async def refused(*requests):
        call = sender.stub.UploadMedia()
        with pytest.raises(grpc.aio.AioRpcError) as caught:  # noqa: PT012 # whichever is told first
            for request in requests:
                await call.write(request)
            await call.done_writing()
            await call
        return refusal(caught.value)[1]

    header = UploadMediaRequest(header=UploadHeader())
    assert await refused() == "NO_HEADER"
    assert await refused(UploadMediaRequest()) == "NO_HEADER"
    assert await refused(UploadMediaRequest(chunk=b"x")) == "NO_HEADER"
    assert await refused(header, header) == "SECOND_HEADER"
    assert await refused(header, UploadMediaRequest(chunk=bytes(5 << 20))) == "CHUNK_TOO_LARGE"
    assert sender.nothing_is_left()


async def test_an_offset_of_an_upload_that_is_not_there_is_not_found(sender):
    code, reason, _ = await sender.refused(b"", upload_id=new_id(), offset=1)
    assert (code, reason) == (Code.NOT_FOUND, "UPLOAD_NOT_FOUND")


async def test_an_upload_is_submitted_by_its_id_and_stays_while_a_job_waits_for_it(sender):
    upload_id = (await sender.send()).upload.upload_id
    request = SubmitAnalysisRequest(source=Source(upload_id=upload_id.upper()))
    job = (await sender.served.jobs.SubmitAnalysis(request)).job
    assert job.source.upload_id == upload_id
    delete = DeleteUploadRequest(upload_id=upload_id)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await sender.stub.DeleteUpload(delete)
    assert refusal(caught.value)[:2] == (Code.FAILED_PRECONDITION, "UPLOAD_IN_USE")
    sender.served.hands.succeed(sender.served.hands.claim(job.job_id))
    await sender.stub.DeleteUpload(delete)
    for call in (sender.stub.DeleteUpload(delete), sender.served.jobs.SubmitAnalysis(request)):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
        assert refusal(caught.value)[:2] == (Code.NOT_FOUND, "UPLOAD_NOT_FOUND")


async def test_a_batch_takes_uploads_and_refuses_those_that_cannot_be_submitted(sender):
    complete = (await sender.send()).upload.upload_id
    broken_off = new_id()
    # Of another size, since bytes that are known would make it complete.
    call = await sender.begin(upload_id=broken_off)
    await call.write(UploadMediaRequest(chunk=b"x"))

    async def begun():
        return sender.count(UPLOADS) == 2

    await until(begun)
    sources = [
        Source(upload_id=complete),
        Source(upload_id=broken_off),
        Source(path="one.wav"),
        Source(upload_id=new_id()),
    ]
    items = [SubmitBatchRequest.Item(source=source) for source in sources]
    response = await sender.served.jobs.SubmitBatch(SubmitBatchRequest(items=items))
    assert response.batch.total == 2
    assert [(item.index, item.reason) for item in response.failed_items] == [
        (1, "UPLOAD_INCOMPLETE"),
        (3, "UPLOAD_NOT_FOUND"),
    ]
    request = SubmitAnalysisRequest(source=Source(upload_id=broken_off))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await sender.served.jobs.SubmitAnalysis(request)
    assert refusal(caught.value)[:2] == (Code.FAILED_PRECONDITION, "UPLOAD_INCOMPLETE")
    call.cancel()


async def test_what_cannot_be_stored_is_told_and_leaves_nothing(sender):
    folder = unquote(urlsplit(sender.served.settings.storage_url).path)
    await asyncio.to_thread(Path(folder).write_text, "in the way")
    code, reason, _ = await sender.refused()
    assert (code, reason) == (Code.UNAVAILABLE, "STORAGE_UNAVAILABLE")
    os.unlink(folder)
    await sender.send()
    assert os.stat(folder).st_mode & 0o077 == 0


class TestLimit:
    """A server that takes 1 MB."""

    @pytest.fixture
    def settings(self, settings):
        """Settings with that limit."""
        return replace(settings, max_upload_mb=1)

    async def test_too_much_is_refused_before_and_while_it_is_read(self, sender):
        """By what is announced, and by what comes."""
        code, reason, metadata = await sender.refused(b"", size=1_000_001)
        assert (code, reason) == (Code.RESOURCE_EXHAUSTED, "UPLOAD_TOO_LARGE")
        assert metadata["limit_bytes"] == "1000000"
        code, reason, _ = await sender.refused(bytes(1_000_001), upload_id=new_id())
        assert (code, reason) == (Code.RESOURCE_EXHAUSTED, "UPLOAD_TOO_LARGE")
        assert sender.nothing_is_left()
        await sender.send(bytes(1_000_000))
