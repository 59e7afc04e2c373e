"""Every kind of storage does the same; GCS and Azure are the same library with another URL."""

import hashlib
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from harken.media import blob_writer
from harken.media.blob import folder_of
from harken.media.storage import BLOCK_BYTES, Storage
from harken.media.storage_errors import (
    BlobMissing,
    StorageFull,
    StorageOfAnother,
    StorageUnavailable,
)

MIB = 1024 * 1024
MANY = random.Random(6).randbytes(BLOCK_BYTES + 3)  # more than one block, one part and one request


def put(storage: Storage, data: bytes, owner: str = "ann"):
    with storage.new(owner) as writer:
        writer.write(data)
        return writer.finish()


def listed(storage: Storage):
    return [one for some in storage.listed() for one in some]


def test_what_was_kept_is_read_again_with_its_size_and_hash(storage):
    blob = put(storage, MANY)
    assert (blob.size, blob.sha256) == (len(MANY), hashlib.sha256(MANY).hexdigest())
    assert b"".join(storage.read(blob.key, end=blob.size)) == MANY


def test_nothing_at_all_can_be_kept_too(storage):
    blob = put(storage, b"")
    assert blob.size == 0
    assert b"".join(storage.read(blob.key, end=0)) == b""
    with storage.open(blob.key, 0) as file:
        assert file.read() == b""


@pytest.mark.parametrize(("start", "end"), [(0, 1), (5, 9), (BLOCK_BYTES - 1, BLOCK_BYTES + 1)])
async def test_a_range_is_read_alone(storage, start, end):
    blob = put(storage, MANY)
    assert b"".join(storage.read(blob.key, start=start, end=end)) == MANY[start:end]
    parts = [bytes(part) async for part in storage.read_async(blob.key, start=start, end=end)]
    assert b"".join(parts) == MANY[start:end]


def test_the_same_bytes_kept_twice_have_two_keys(storage):
    assert put(storage, b"same").key != put(storage, b"same").key


def test_an_owners_name_is_no_part_of_a_path(storage, tmp_path):
    blob = put(storage, b"x", owner="../../etc")
    assert ".." not in blob.key
    assert blob.key.startswith(folder_of("../../etc"))
    assert folder_of("ann") != folder_of("Ann")


def test_a_writer_that_breaks_off_leaves_nothing(storage):
    class Gone(Exception):
        pass

    def break_off():
        with storage.new("ann") as writer:
            writer.write(MANY)
            raise Gone

    with pytest.raises(Gone):
        break_off()
    assert listed(storage) == []


def test_what_is_kept_is_listed_with_its_size_and_time(storage):
    blobs = {put(storage, bytes(size)).key: size for size in (1, 2, 3)}
    found = listed(storage)
    assert {one.key: one.size for one in found} == blobs
    assert all(abs(datetime.now(UTC) - one.time) < timedelta(minutes=1) for one in found)


def test_what_is_deleted_is_gone_and_deleting_it_again_no_error(storage):
    blob, other = put(storage, b"x"), put(storage, b"y")
    storage.delete([blob.key, blob.key])
    storage.delete([blob.key])
    assert [one.key for one in listed(storage)] == [other.key]
    with pytest.raises(BlobMissing):
        list(storage.read(blob.key, end=1))
    with pytest.raises(BlobMissing):
        storage.open(blob.key, 1)


def test_the_bytes_can_be_read_as_a_file_and_a_copy_leaves_nothing(storage, is_s3, tmp_path):
    blob = put(storage, MANY)
    blocks = []
    folder = tmp_path / "copies"
    folder.mkdir()
    with storage.open(blob.key, blob.size, folder=str(folder), on_block=blocks.append) as file:
        assert file.read() == MANY
        assert list(folder.iterdir()) == []
    assert blocks == ([0, BLOCK_BYTES] if is_s3 else [])


def test_the_folder_is_for_its_user_alone(tmp_path):
    storage = Storage((tmp_path / "kept").as_uri())
    blob = put(storage, b"x")
    file = tmp_path / "kept" / blob.key
    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "kept").touch()
    with pytest.raises(StorageUnavailable):
        put(Storage((tmp_path / "kept").as_uri()), b"x")


def test_a_full_disk_is_told_as_such_and_leaves_nothing(tmp_path):
    resource = pytest.importorskip("resource")
    storage = Storage((tmp_path / "kept").as_uri())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal = pytest.importorskip("signal")
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(StorageFull):
            put(storage, bytes(10_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert listed(storage) == []


def test_a_storage_that_is_not_there_is_unavailable(s3_url):
    storage = Storage(s3_url.replace("s3://harken-", "s3://nobody-"))
    with pytest.raises(StorageUnavailable):
        storage.check()
    with pytest.raises(StorageUnavailable):
        put(storage, b"x")


@pytest.mark.parametrize("url", ["ftp://x/y", "folder", "file://host/x", ""])
def test_what_is_no_storage_is_refused(url):
    with pytest.raises(ValueError, match=r"storage|folder"):
        Storage(url)


@pytest.mark.parametrize("scheme", ["gs", "az"])
def test_other_providers_are_a_matter_of_the_url(scheme, monkeypatch):
    monkeypatch.setenv("GOOGLE_SKIP_SIGNATURE", "true")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "a2V5")
    writer = Storage(f"{scheme}://bucket/prefix").new("ann")
    assert isinstance(writer, blob_writer.RemoteWriter)


def test_a_local_writer_makes_durable_what_it_has_so_far_a_remote_one_cannot(storage, is_s3):
    with storage.new("ann") as writer:
        writer.write(b"x")
        assert writer.sync() is not is_s3


def test_a_storage_is_that_of_the_first_who_writes_to_it(storage):
    ours, theirs = (Storage(storage.url, system=name) for name in ("ours", "theirs"))
    ours.check_system()
    kept = put(ours, b"x")
    ours.check_system()
    put(Storage(storage.url, system="ours"), b"y")

    with pytest.raises(StorageOfAnother, match=r"'harken-system' names the system ours"):
        theirs.check_system()
    with pytest.raises(StorageOfAnother):
        theirs.new("ann")
    with pytest.raises(StorageOfAnother):
        theirs.delete([kept.key])
    assert len([one for some in ours.listed() for one in some]) == 2


def test_whoever_is_first_of_many_has_it(storage):
    def first(name):
        try:
            Storage(storage.url, system=name).claim()
        except StorageOfAnother:
            return None
        return name

    with ThreadPoolExecutor(4) as threads:
        outcomes = [name for name in threads.map(first, "abcd") if name]
    assert len(outcomes) == 1
