"""Nothing stays in the storage that nobody needs, and nothing goes that somebody does."""

import os
import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from harken.jobs.files import blobs, uploads
from harken.jobs.files.upload import NewUpload
from harken.jobs.store.schema import BLOBS
from harken.media.storage import Storage
from harken.settings import Settings
from harken.tasks.maintenance import clean_storage
from tests.jobs.conftest import Jobs

DAY_S = 24 * 3600


@pytest.fixture
def storage(tmp_path):
    return Storage((tmp_path / "storage").as_uri())


@pytest.fixture
def clean(database_url, redis, storage, monkeypatch):
    """Runs the task as a worker's child would."""
    settings = Settings(database_url=database_url, result_backend=redis, storage_url=storage.url)
    monkeypatch.setattr(clean_storage, "settings", settings)
    for opened in ("database", "bell"):
        clean_storage.__dict__.pop(opened, None)
        getattr(clean_storage, opened)  # of two threads each would open one
    yield clean_storage.run
    clean_storage.database.close()
    clean_storage.bell.close()
    del clean_storage.database, clean_storage.bell


@pytest.fixture
def put(storage, tmp_path):
    """Puts bytes into the storage some time ago; returns them as a blob."""

    def put(data, age_s=0.0):
        with storage.new("local") as writer:
            writer.write(data)
            blob = writer.finish()
        then = time.time() - age_s
        os.utime(tmp_path / "storage" / blob.key, (then, then))
        return blob

    return put


def keys(storage):
    return {one.key for some in storage.listed() for one in some}


def keep(database, blob, age_s=0.0):
    with database.write() as connection:
        now = datetime.now(UTC)
        blobs.keep(connection, blob, owner="local", now=now)
        unused = now - timedelta(seconds=age_s)
        this = update(BLOBS).where(BLOBS.c.key == blob.key)
        connection.execute(this.values(used_time=unused))


def test_orphans_go_once_they_are_old_and_what_is_known_stays(clean, storage, put, database):
    put(b"orphan", 2 * DAY_S)
    young = put(b"young")
    known = put(b"known", 2 * DAY_S)
    keep(database, known)
    part = put(b"part", 2 * DAY_S)
    upload_id, writer = str(uuid.uuid4()), str(uuid.uuid4())
    with database.write() as connection:
        options = {"owner": "local", "writer": writer, "now": datetime.now(UTC)}
        new = NewUpload(upload_id=upload_id, filename="", resumable=True)
        uploads.open_upload(connection, new, offset=0, kept_for=timedelta(days=3), **options)
        uploads.begin_part(connection, upload_id, part.key, **options)
    assert clean() == {"uploads": 0, "blobs": 0, "orphans": 1}
    assert keys(storage) == {young.key, known.key, part.key}
    assert clean() == {"uploads": 0, "blobs": 0, "orphans": 0}


def test_bytes_to_which_nothing_refers_go(clean, storage, put, database):
    keep(database, put(b"unused"), 2 * 3600)
    used = put(b"used of late")
    keep(database, used)
    assert clean()["blobs"] == 1
    assert keys(storage) == {used.key}


def test_an_upload_that_expired_goes_with_its_bytes(clean, storage, put, database):
    part = put(b"part")
    upload_id, writer = str(uuid.uuid4()), str(uuid.uuid4())
    with database.write() as connection:
        options = {
            "owner": "local",
            "writer": writer,
            "now": datetime.now(UTC) - timedelta(days=4),
        }
        new = NewUpload(upload_id=upload_id, filename="", resumable=True)
        uploads.open_upload(connection, new, offset=0, kept_for=timedelta(days=3), **options)
        uploads.begin_part(connection, upload_id, part.key, **options)
    assert clean()["uploads"] == 1
    assert keys(storage) == set()


def test_two_that_clean_at_once_do_no_harm(clean, storage, put, database):
    for number in range(20):
        keep(database, put(b"%d" % number), 2 * 3600)
        put(b"orphan %d" % number, 2 * DAY_S)
    known = put(b"known", 2 * DAY_S)
    keep(database, known)
    done = Jobs(database).at_once(clean, clean)
    assert sum(one["blobs"] for one in done) == 20
    assert keys(storage) == {known.key}


def test_a_storage_that_is_not_there_is_tried_again_later(clean, tmp_path, put, database):
    put(b"x")
    (tmp_path / "storage").rename(tmp_path / "away")
    (tmp_path / "storage").touch()
    done = clean()
    assert not done.get("orphans")
    (tmp_path / "storage").unlink()
    (tmp_path / "away").rename(tmp_path / "storage")
    put(b"orphan", 2 * DAY_S)
    assert clean()["orphans"] == 1
