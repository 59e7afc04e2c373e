"""Uploads in the database: one call receives at a time, and all goes that nobody needs any more."""

import uuid
from datetime import timedelta

import pytest

from harken.jobs import redrive
from harken.jobs.errors import (
    UploadBusy,
    UploadElsewhere,
    UploadIdReused,
    UploadIncomplete,
    UploadInUse,
    UploadLost,
    UploadNotFound,
)
from harken.jobs.files import blobs, upload_sources, uploads
from harken.jobs.files.blobs import StoredBytes
from harken.jobs.files.upload import WRITER_LEASE, NewUpload, Part, UploadState
from harken.jobs.job import NewBatch, Source

OWNER = "local"
KEPT_FOR = timedelta(hours=72)
A = "a" * 64


def stored(key="blobs/one", sha256=A, size=5):
    return StoredBytes(key=key, sha256=sha256, size=size)


class Uploads:
    """Calls about one upload, each a transaction."""

    def __init__(self, jobs):
        self.jobs = jobs
        self.id = str(uuid.uuid4())

    def open(self, writer, offset=0, *, owner=OWNER, **announced):
        """Lets a call receive it."""
        new = NewUpload(upload_id=self.id, filename="a", **{"resumable": True, **announced})
        return self.jobs.write(
            lambda c: uploads.open_upload(
                c,
                new,
                owner=owner,
                offset=offset,
                writer=writer,
                now=self.jobs.now,
                kept_for=KEPT_FOR,
            )
        )

    def do(self, name, writer, *arguments, owner=OWNER, **options):
        """One of the writes of the call that receives it."""
        return self.jobs.write(
            lambda c: getattr(uploads, name)(
                c, self.id, *arguments, owner=owner, writer=writer, **options
            )
        )

    def begin_part(self, writer, key="blobs/one"):
        """The call begins a part."""
        self.do("begin_part", writer, key, now=self.jobs.now)

    def advance(self, writer, size, key="blobs/one"):
        """So many bytes of the part are durable."""
        self.do("advance", writer, Part(key=key, size=size), now=self.jobs.now)

    def complete(self, writer, content=None):
        """All is there."""
        return self.do(
            "complete", writer, content or stored(), now=self.jobs.now, kept_for=KEPT_FOR
        )

    def get(self, owner=OWNER):
        """It, as it is now."""
        return self.jobs.read(lambda c: uploads.get_upload(c, self.id, owner=owner))

    def submit(self, **fields):
        """Makes a job of it."""
        new = self.jobs.new(**fields)
        new = type(new)(
            source=Source(kind="upload_id", value=self.id),
            features=new.features,
            queue=new.queue,
            request_id=new.request_id,
        )
        return self.jobs.write(
            lambda c: upload_sources.submit_job(
                c, new, owner=OWNER, now=self.jobs.now, kept_for=KEPT_FOR
            )
        )

    def expire(self):
        """The clean-up looks for what has expired."""
        return self.jobs.write(lambda c: uploads.delete_expired(c, self.jobs.now))


@pytest.fixture
def upload(jobs):
    return Uploads(jobs)


ANN, BOB = str(uuid.uuid4()), str(uuid.uuid4())


def test_it_is_received_and_complete(upload):
    upload.open(ANN, size=5)
    upload.begin_part(ANN)
    upload.advance(ANN, 3)
    assert (upload.get().state, upload.get().received) == (UploadState.RECEIVING, 3)
    done = upload.complete(ANN)
    assert done.orphans == []
    assert (done.upload.state, done.upload.received, done.upload.sha256) == (
        UploadState.COMPLETE,
        5,
        A,
    )
    assert done.upload == upload.get()
    assert upload.jobs.read(lambda c: uploads.content_of(c, upload.id, owner=OWNER)) == stored()


def test_parts_that_became_one_are_orphans(upload):
    upload.open(ANN)
    for key in ("one", "two"):
        upload.begin_part(ANN, key)
        upload.advance(ANN, 2, key)
    assert upload.get().received == 4
    assert list(upload.complete(ANN, stored("joined")).orphans) == ["one", "two"]


def test_bytes_that_were_kept_before_are_kept_once(upload):
    upload.jobs.write(lambda c: blobs.keep(c, stored("first"), owner=OWNER, now=upload.jobs.now))
    upload.open(ANN)
    upload.begin_part(ANN, "second")
    assert list(upload.complete(ANN, stored("second")).orphans) == ["second"]
    content = upload.jobs.read(lambda c: uploads.content_of(c, upload.id, owner=OWNER))
    assert content.key == "first"


def test_bytes_known_by_their_sha256_complete_it_at_once(upload):
    upload.open(ANN)
    upload.begin_part(ANN, "half")
    upload.advance(ANN, 2, "half")
    upload.do("leave", ANN, forget=False)
    upload.jobs.write(lambda c: blobs.keep(c, stored("known"), owner=OWNER, now=upload.jobs.now))
    opened = upload.open(BOB, 2, sha256=A)
    assert (opened.upload.state, opened.upload.size) == (UploadState.COMPLETE, 5)
    assert list(opened.orphans) == ["half"]


def test_anothers_bytes_are_not_known(upload):
    upload.jobs.write(lambda c: blobs.keep(c, stored("known"), owner="bob", now=upload.jobs.now))
    assert upload.open(ANN, sha256=A).upload.state is UploadState.RECEIVING


def test_only_one_call_receives_until_it_leaves_or_is_silent_for_too_long(upload):
    upload.open(ANN)
    with pytest.raises(UploadBusy):
        upload.open(BOB)
    upload.jobs.advance(seconds=9)
    upload.do("renew", ANN, now=upload.jobs.now)
    upload.jobs.advance(seconds=9)
    with pytest.raises(UploadBusy):
        upload.open(BOB)
    upload.jobs.advance(seconds=2)
    upload.open(BOB)
    for late in (
        lambda: upload.do("renew", ANN, now=upload.jobs.now),
        lambda: upload.begin_part(ANN),
        lambda: upload.advance(ANN, 5),
        lambda: upload.complete(ANN),
    ):
        with pytest.raises(UploadLost):
            late()
    assert upload.do("leave", ANN, forget=True) == ()
    upload.do("leave", BOB, forget=False)
    upload.open(ANN)


def test_of_two_that_begin_one_upload_at_once_one_does(upload):
    def begin(writer):
        def open_it():
            try:
                return upload.open(writer) is not None
            except UploadBusy:
                return False

        return open_it

    begun = upload.jobs.at_once(*[begin(str(uuid.uuid4())) for _ in range(4)])
    assert sorted(begun) == [False, False, False, True]


def test_it_goes_on_where_it_stands_and_nowhere_else(upload):
    with pytest.raises(UploadNotFound):
        upload.open(ANN, 3)
    upload.open(ANN)
    upload.begin_part(ANN)
    upload.advance(ANN, 3)
    upload.begin_part(ANN, "empty")
    upload.do("leave", ANN, forget=False)
    for offset in (0, 2, 4):
        with pytest.raises(UploadElsewhere) as caught:
            upload.open(BOB, offset)
        assert caught.value.received == 3
    opened = upload.open(BOB, 3)
    assert opened.parts == (Part(key="blobs/one", size=3),)
    assert list(opened.orphans) == ["empty"]


def test_other_bytes_need_another_id(upload):
    upload.open(ANN, size=5, sha256=A)
    for other in ({"size": 6}, {"sha256": "b" * 64}):
        with pytest.raises(UploadIdReused):
            upload.open(ANN, **other)


def test_owners_ids_are_their_own(upload):
    upload.open(ANN)
    with pytest.raises(UploadNotFound):
        upload.get(owner="bob")
    upload.open(BOB, owner="bob")
    assert upload.get(owner="bob").owner == "bob"


def test_what_is_not_to_be_gone_on_with_is_forgotten(upload):
    upload.open(ANN, resumable=False)
    upload.begin_part(ANN)
    assert upload.do("leave", ANN, forget=True) == ("blobs/one",)
    with pytest.raises(UploadNotFound):
        upload.get()


def test_one_whose_server_died_is_deleted_unless_it_can_be_gone_on_with(upload):
    upload.open(ANN, resumable=False)
    upload.begin_part(ANN)
    other = Uploads(upload.jobs)
    other.open(ANN)
    other.begin_part(ANN, "two")
    assert upload.expire() == (0, ())
    upload.jobs.advance(seconds=WRITER_LEASE.total_seconds() + 1)
    assert upload.expire() == (1, ("blobs/one",))
    upload.jobs.advance(hours=72)
    assert upload.expire() == (1, ("two",))
    assert upload.expire() == (0, ())


def test_one_that_is_still_being_received_does_not_expire(upload):
    upload.open(ANN)
    for _ in range(3):
        upload.jobs.advance(hours=48)
        upload.do("renew", ANN, now=upload.jobs.now)
        assert upload.expire() == (0, ())


def test_one_that_a_job_waits_for_neither_expires_nor_is_deleted(upload):
    upload.open(ANN)
    upload.complete(ANN)
    job = upload.submit()
    upload.jobs.advance(hours=100)
    assert upload.expire() == (0, ())
    claimed = upload.jobs.claim(job)
    with pytest.raises(UploadInUse):
        upload.jobs.write(lambda c: uploads.delete_upload(c, upload.id, owner=OWNER))
    upload.jobs.fail(claimed)
    assert upload.expire() == (1, ())
    upload.jobs.advance(hours=2)
    assert upload.jobs.write(lambda c: blobs.delete_unused(c, upload.jobs.now)) == ("blobs/one",)


def test_being_submitted_keeps_it_for_longer(upload):
    upload.open(ANN)
    upload.complete(ANN)
    upload.jobs.advance(hours=71)
    upload.submit()
    assert upload.get().expire_time == upload.jobs.now + KEPT_FOR


def test_it_is_submitted_when_it_is_complete_and_there(upload):
    with pytest.raises(UploadNotFound):
        upload.submit()
    upload.open(ANN)
    with pytest.raises(UploadIncomplete):
        upload.submit()
    assert upload.jobs.listed() == []
    upload.complete(ANN)
    request_id = str(uuid.uuid4())
    job = upload.submit(request_id=request_id)
    upload.jobs.cancel(job)
    upload.jobs.write(lambda c: uploads.delete_upload(c, upload.id, owner=OWNER))
    upload.jobs.advance(seconds=1)
    # What the request_id made stands, whatever has become of the upload.
    assert upload.submit(request_id=request_id).job_id == job.job_id


def test_a_batch_leaves_out_what_cannot_be_submitted(upload):
    upload.open(ANN)
    upload.complete(ANN)
    sources = [Source(kind="upload_id", value=which) for which in (upload.id, str(uuid.uuid4()))]
    items = [
        type(upload.jobs.new())(source=source, features=(), queue="default") for source in sources
    ]
    new = NewBatch(items=tuple(enumerate(items)))
    held = upload.jobs.write(
        lambda c: upload_sources.with_uploads(
            c, new, owner=OWNER, now=upload.jobs.now, kept_for=KEPT_FOR
        )
    )
    assert [index for index, _ in held.items] == [0]
    assert [(item.index, item.reason) for item in held.refused] == [(1, "UPLOAD_NOT_FOUND")]


def test_what_the_file_was_called_stands_in_its_jobs_for_as_long_as_they_do(upload):
    upload.open(ANN)
    upload.complete(ANN)
    job = upload.submit()
    assert upload.jobs.get(job).filename == job.filename == "a"
    source = Source(kind="upload_id", value=upload.id)
    item = type(upload.jobs.new())(source=source, features=(), queue="default")
    new = NewBatch(items=((0, item),))
    held = upload.jobs.write(
        lambda c: upload_sources.with_uploads(
            c, new, owner=OWNER, now=upload.jobs.now, kept_for=KEPT_FOR
        )
    )
    assert [one.filename for _, one in held.items] == ["a"]
    assert redrive.again(job).filename == "a"
    assert upload.jobs.submit().filename is None
