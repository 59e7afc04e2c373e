"""Objects in a bucket of a real S3 server."""

import obstore
import pytest
from obstore.store import S3Store

from harken.media import SourceError, SourceNotFound
from harken.media.bucket_source import BLOCK_BYTES, BucketSources
from harken.media.fetch import FetchLimits, Sources
from harken.media.source_errors import SourceUnreachable
from harken.media.source_rules import SourceRules
from harken.media.stream import Cut
from harken.media.uri import parse_uri

LIMITS = FetchLimits(largest_bytes=2 * BLOCK_BYTES, longest_s=30)


@pytest.fixture
def bucket(s3_url: str) -> str:
    """The name of a new bucket."""
    return s3_url.split("/")[2]


@pytest.fixture
def put(bucket: str):
    """Puts an object into the bucket."""
    store = S3Store(bucket)

    def put(key: str, data: bytes) -> None:
        obstore.put(store, key, data)

    return put


def fetch(uri: str, *rules: str, on_bytes=lambda *_: None) -> bytes:
    with Sources(SourceRules.of(rules)).fetch(uri, LIMITS, on_bytes).file as file:
        return file.read()


@pytest.mark.parametrize("key", ["a.wav", "some folder/ü b?#%41.wav", "a/very/deep/one.wav"])
def test_an_object_is_fetched_by_its_key_as_it_is(bucket: str, put, key: str) -> None:
    put(key, b"sound")
    assert fetch(f"s3://{bucket}/{key}", f"s3://{bucket}") == b"sound"


def test_a_large_one_comes_in_blocks_and_is_told_of(bucket: str, put) -> None:
    data = bytes(BLOCK_BYTES) + b"the rest"
    put("large.wav", data)
    told: list[tuple[int, int | None]] = []
    got = fetch(f"s3://{bucket}/large.wav", f"s3://{bucket}", on_bytes=lambda *t: told.append(t))
    assert got == data
    assert told[-1] == (len(data), len(data))


def test_an_empty_object_is_an_empty_file(bucket: str, put) -> None:
    put("empty.wav", b"")
    assert fetch(f"s3://{bucket}/empty.wav", f"s3://{bucket}") == b""


def test_a_missing_object_or_bucket_is_the_sources_fault(bucket: str) -> None:
    for place in (f"s3://{bucket}/none.wav", "s3://no-such-bucket/a.wav"):
        with pytest.raises(SourceNotFound, match="does not exist"):
            fetch(place, f"s3://{bucket}", "s3://no-such-bucket")


def test_an_object_over_the_limit_is_not_begun(bucket: str, put) -> None:
    put("huge.wav", bytes(2 * BLOCK_BYTES + 1))
    told: list[int] = []
    with pytest.raises(SourceError) as caught:
        fetch(f"s3://{bucket}/huge.wav", f"s3://{bucket}", on_bytes=lambda n, _: told.append(n))
    assert caught.value.reason == "SOURCE_TOO_LARGE"
    assert max(told) == 0


def test_another_bucket_or_folder_than_the_operators_is_not_asked(bucket: str, put) -> None:
    put("public/a.wav", b"sound")
    put("private/a.wav", b"secret")
    assert fetch(f"s3://{bucket}/public/a.wav", f"s3://{bucket}/public") == b"sound"
    with pytest.raises(SourceError) as caught:
        fetch(f"s3://{bucket}/private/a.wav", f"s3://{bucket}/public")
    assert caught.value.reason == "SOURCE_NOT_ALLOWED"


def test_an_object_that_is_replaced_on_the_way_is_no_file(bucket: str, put) -> None:
    put("a.wav", bytes(2 * BLOCK_BYTES))
    sources = BucketSources(SourceRules.of([f"s3://{bucket}"]))
    with sources.open(parse_uri(f"s3://{bucket}/a.wav"), Cut()) as stream:
        assert len(next(stream.blocks)) == BLOCK_BYTES
        put("a.wav", b"\1" * 2 * BLOCK_BYTES)
        with pytest.raises(SourceUnreachable, match="PreconditionError"):
            next(stream.blocks)


def test_a_bucket_that_cannot_be_reached_may_be_another_time(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(SourceUnreachable, match="does not answer"):
        fetch(f"s3://{bucket}/a.wav", f"s3://{bucket}")
