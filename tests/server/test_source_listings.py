"""ListSources: what a server says can be submitted, page by page, without keeping anybody waiting."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from pathlib import Path

import grpc
import pytest
from google.rpc import status_pb2
from google.rpc.error_details_pb2 import ErrorInfo

from harken.media import listing
from harken.server.media import source_listings
from harken.server.media.source_listings import DEFAULT_LISTED, LARGEST_LISTED
from harken.server.serve import running_server
from harken.settings import Settings
from harken.v1.job_service_pb2 import SubmitAnalysisRequest, SubmitBatchRequest
from harken.v1.job_service_pb2_grpc import JobServiceStub
from harken.v1.media_service_pb2 import ListSourcesRequest, ListSourcesResponse
from harken.v1.media_service_pb2_grpc import MediaServiceStub
from harken.v1.source_pb2 import Source
from tests.server.conftest import Served

Code = grpc.StatusCode


@pytest.fixture
def music(settings: Settings) -> Path:
    """A folder below the media root with 25 recordings and a text."""
    folder = Path(settings.media_roots[0], "music")
    (folder / "live").mkdir(parents=True)
    for number in range(25):
        (folder / ("live" if number % 2 else ".") / f"{number:02}.flac").write_bytes(b"x" * number)
    (folder / "notes.txt").touch()
    return folder


@pytest.fixture
async def media(settings: Settings, served: Served) -> AsyncIterator[MediaServiceStub]:
    """The server's other service."""
    async with grpc.aio.insecure_channel(settings.listen) as channel:
        yield MediaServiceStub(channel)


async def refusal(call: Awaitable[object]) -> tuple[grpc.StatusCode, str]:
    """The code and the reason of an error."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    trailing = dict(caught.value.trailing_metadata() or ())
    status = status_pb2.Status.FromString(trailing["grpc-status-details-bin"])
    info = ErrorInfo()
    assert status.details[0].Unpack(info)
    return caught.value.code(), info.reason


async def listed(media: MediaServiceStub, **fields: object) -> list[ListSourcesResponse]:
    """All pages of a listing."""
    pages = [await media.ListSources(ListSourcesRequest(**fields))]
    while pages[-1].next_page_token:
        token = pages[-1].next_page_token
        pages.append(await media.ListSources(ListSourcesRequest(**fields, page_token=token)))
    return pages


async def test_a_folder_is_listed_in_pages_and_what_they_hold_can_be_submitted(
    served: Served, media: MediaServiceStub, music: Path
) -> None:
    pages = await listed(media, place="music", page_size=10)
    sources = [one.source for page in pages for one in page.sources]
    assert [len(page.sources) for page in pages] == [10, 10, 5]
    assert sorted(source.path[-7:] for source in sources) == [f"{n:02}.flac" for n in range(25)]
    assert {one.source.path: one.size for page in pages for one in page.sources}[
        "music/24.flac"
    ] == 24
    request = SubmitBatchRequest(items=[SubmitBatchRequest.Item(source=one) for one in sources])
    answer = await served.jobs.SubmitBatch(request)
    assert (answer.batch.total, list(answer.failed_items)) == (25, [])


async def test_a_pattern_and_an_absolute_path_are_listed_too(
    media: MediaServiceStub, music: Path
) -> None:
    (page,) = await listed(media, place="music/**/0[0-3].flac")
    assert [one.source.path for one in page.sources] == [
        *("music/00.flac", "music/02.flac", "music/live/01.flac", "music/live/03.flac")
    ]
    (page,) = await listed(media, place=f"{music}/*.txt", every_name=True)
    assert [one.source.path for one in page.sources] == [f"{music}/notes.txt"]


async def test_a_token_is_good_for_its_own_listing_only(
    media: MediaServiceStub, music: Path
) -> None:
    page = await media.ListSources(ListSourcesRequest(place="music", page_size=1))
    for fields in ({"place": "music/live"}, {"place": "music", "every_name": True}):
        request = ListSourcesRequest(**fields, page_token=page.next_page_token)
        found = await refusal(media.ListSources(request))
        assert found == (Code.INVALID_ARGUMENT, "INVALID_TOKEN")


@pytest.mark.parametrize(
    ("fields", "code", "reason"),
    [
        ({}, Code.INVALID_ARGUMENT, "NO_PLACE"),
        ({"place": "x" * 4097}, Code.INVALID_ARGUMENT, "PATH_TOO_LONG"),
        ({"place": "a", "page_size": -1}, Code.INVALID_ARGUMENT, "NEGATIVE_PAGE_SIZE"),
        ({"place": "a", "page_token": "x"}, Code.INVALID_ARGUMENT, "INVALID_TOKEN"),
        ({"place": "none"}, Code.NOT_FOUND, "SOURCE_NOT_FOUND"),
        ({"place": "/etc"}, Code.PERMISSION_DENIED, "SOURCE_OUTSIDE_ROOTS"),
        ({"place": "../**"}, Code.PERMISSION_DENIED, "SOURCE_OUTSIDE_ROOTS"),
        ({"place": "s3://bucket/"}, Code.PERMISSION_DENIED, "SOURCE_NOT_ALLOWED"),
        ({"place": "s3://"}, Code.INVALID_ARGUMENT, "MALFORMED_URI"),
        ({"place": "https://h.test/music/"}, Code.INVALID_ARGUMENT, "MALFORMED_URI"),
    ],
)
async def test_a_place_that_cannot_be_listed_is_refused(
    media: MediaServiceStub, fields: dict[str, object], code: Code, reason: str
) -> None:
    assert await refusal(media.ListSources(ListSourcesRequest(**fields))) == (code, reason)


async def test_pages_have_the_published_sizes(
    media: MediaServiceStub, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "LONGEST_S", 60.0)  # a busy machine ends pages early
    assert LARGEST_LISTED == 10_000
    monkeypatch.setattr(
        source_listings, "LARGEST_LISTED", DEFAULT_LISTED + 50
    )  # many files take time
    for number in range(DEFAULT_LISTED + 100):
        (music / f"many-{number:05}.wav").touch()
    unset = await media.ListSources(ListSourcesRequest(place="music/many*"))
    assert len(unset.sources) == DEFAULT_LISTED
    most = await media.ListSources(ListSourcesRequest(place="music", page_size=1_000_000))
    assert len(most.sources) == DEFAULT_LISTED + 50


async def test_a_page_of_long_names_ends_before_clients_refuse_it(
    media: MediaServiceStub, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "LONGEST_S", 60.0)
    deep = music / ("d" * 250) / ("e" * 250) / ("f" * 250)
    deep.mkdir(parents=True)
    for number in range(4_000):
        (deep / f"{'g' * 200}{number:05}.wav").touch()
    pages = await listed(media, place="music/d*/**", page_size=10_000)
    assert len(pages) == 2
    assert len({one.source.path for page in pages for one in page.sources}) == 4_000
    assert all(page.ByteSize() < 4 * 1024 * 1024 for page in pages)


async def test_a_bucket_that_hangs_keeps_nobody_waiting(
    settings: Settings, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither who submits, nor who lists something else."""
    mute = socket.create_server(("127.0.0.1", 0))
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{mute.getsockname()[1]}")
    for name, value in (("ACCESS_KEY_ID", "k"), ("SECRET_ACCESS_KEY", "s"), ("ALLOW_HTTP", "true")):
        monkeypatch.setenv(f"AWS_{name}", value)
    settings = replace(settings, sources="s3://bucket", listen=settings.listen + "-2")
    async with (
        running_server(settings) as address,
        grpc.aio.insecure_channel(address) as channel,
    ):
        jobs, media = JobServiceStub(channel), MediaServiceStub(channel)
        hanging = [
            media.ListSources(ListSourcesRequest(place="s3://bucket/"), timeout=3) for _ in range(3)
        ]
        async with asyncio.timeout(2):
            await listed(media, place="music")
            for _ in range(10):
                await jobs.SubmitAnalysis(
                    SubmitAnalysisRequest(source=Source(path="music/00.flac"))
                )
        for call in hanging:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call
            assert caught.value.code() is Code.DEADLINE_EXCEEDED
        mute.close()
