"""Damaged and hostile films: facts, pictures and a proxy of what is there, or an error that says what is wrong."""

import struct
import tempfile

import numpy as np
import pytest

from harken.audio import InputError
from harken.audio.container import LARGEST_PIXELS
from harken.audio.video.contact_sheet import Grid, contact_sheet
from harken.audio.video.frame_finder import FrameFinder
from harken.audio.video.poster import poster
from harken.audio.video.probe import MOST_STREAMS, probe
from harken.audio.video.proxy import ProxyForm, write_proxy
from tests.audio.video.films import film, opened

GRID = Grid(columns=2, rows=2, width=320)


def everything_of(path):
    """The facts, a thumbnail, a sheet and a proxy; how often a cancel could have been heard."""
    told = []

    def tell(*_):
        told.append(1)

    with opened(path) as some:
        facts = probe(some, tell)
        assert poster(FrameFinder(some, tell), facts.duration_s) is not None
        length = facts.duration_s or some.step_s
        assert contact_sheet(some, FrameFinder(some, tell), length, GRID, "", tell) is not None
    with opened(path) as some, tempfile.TemporaryFile() as file:
        proxy = write_proxy(some, file, ProxyForm(height=48, fps=10.0), threads=1, on_time=tell)
        return facts, proxy, some.damaged_packets, len(told)


def boxes(content, start, end):
    """The boxes of an MP4: kind, content with its head."""
    while start < end:
        size, kind = struct.unpack_from(">I4s", content, start)
        yield kind, content[start : start + size]
        start += size


def refused(path):
    with pytest.raises(InputError) as error:
        everything_of(path)
    return error.value.reason


def test_a_film_that_breaks_off_is_as_long_as_what_is_left(tmp_path):
    for name, form in (("a.mkv", "matroska"), ("a.ts", "mpegts")):
        path = film(tmp_path / name, form=form, frames=200)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        facts, proxy, _, _ = everything_of(path)
        assert 2 < facts.duration_s < 6
        assert proxy.duration_s == pytest.approx(facts.duration_s, abs=0.3)


def test_a_film_without_its_index_is_refused(tmp_path):
    path = film(tmp_path / "a.mp4")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert refused(path) == "UNREADABLE"


def test_damaged_packets_are_left_out_and_counted(tmp_path):
    path = film(tmp_path / "a.mp4", frames=250, faststart=True)
    content = bytearray(path.read_bytes())
    start = content.find(b"mdat") + 200
    for place in np.random.default_rng(3).integers(start, len(content), 60):
        content[place] ^= 255
    path.write_bytes(content)
    facts, proxy, damaged, _ = everything_of(path)
    assert facts.duration_s == pytest.approx(10.0)
    assert proxy.duration_s == pytest.approx(10.0, abs=1.0)
    assert damaged > 0


def test_more_pixels_than_are_decoded_are_refused_before_memory_is_set_aside(tmp_path):
    """The size as the header of H.264 itself has it, of which a decoder makes frames."""
    pictures = [np.zeros((6_016, 6_016, 3), np.uint8)]
    assert pictures[0].size // 3 > LARGEST_PIXELS
    assert refused(film(tmp_path / "a.mp4", pictures)) == "PICTURE_TOO_LARGE"


def test_a_film_that_grows_beyond_the_limit_loses_those_frames(tmp_path):
    small = film(tmp_path / "small.h264", form="h264", frames=20)
    large = film(tmp_path / "large.h264", [np.zeros((6_016, 6_016, 3), np.uint8)], form="h264")
    (path := tmp_path / "a.h264").write_bytes(small.read_bytes() + large.read_bytes())
    facts, proxy, _, _ = everything_of(path)
    assert (facts.width, proxy.frame_count) == (96, 8)


@pytest.mark.parametrize("count", [150, 5_000])
def test_many_streams_are_counted_or_refused(tmp_path, count):
    path = film(tmp_path / "a.mp4", frames=3)
    content = path.read_bytes()
    top = dict(boxes(content, 0, len(content)))
    movie = list(boxes(top[b"moov"], 8, len(top[b"moov"])))
    body = b"".join(box if kind != b"trak" else box * count for kind, box in movie)
    moov = struct.pack(">I4s", 8 + len(body), b"moov") + body
    path.write_bytes(content[: content.find(b"moov") - 4] + moov)
    if count > 1_000:
        assert refused(path) == "UNREADABLE"
        return
    with opened(path) as some:
        facts = probe(some, lambda: None)
    assert (facts.stream_count, len(facts.streams)) == (count, MOST_STREAMS)


def test_a_frame_for_ever_ends_with_the_file_and_can_be_cancelled_all_along(tmp_path):
    path = film(
        tmp_path / "a.mkv",
        form="matroska",
        frames=1000,
        stamps=lambda _: 0,
        b_frames=0,
        keyframes=1,
    )
    _, proxy, _, told = everything_of(path)
    assert proxy.frame_count == 1
    assert told > 1000


def test_a_header_that_claims_another_size_is_not_believed(tmp_path):
    path = film(tmp_path / "a.mp4")
    content = bytearray(path.read_bytes())
    struct.pack_into(
        ">HH", content, content.find(b"avc1", content.find(b"stsd")) + 28, 65_535, 65_535
    )
    path.write_bytes(content)
    facts, proxy, _, _ = everything_of(path)
    assert (facts.width, facts.height, proxy.frame_count) == (96, 64, 40)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_changed_there_is_a_result_or_a_reason(tmp_path, seed):
    chance = np.random.default_rng(seed)
    name, form = (("a.mp4", None), ("a.mkv", "matroska"), ("a.ts", "mpegts"), ("a.avi", "avi"))[
        seed % 4
    ]
    codec = "mpeg4" if form == "avi" else "libx264"
    path = film(tmp_path / name, form=form, frames=60, codec=codec)
    content = bytearray(path.read_bytes())
    for place in chance.integers(0, len(content), int(chance.integers(1, 60))):
        content[place] = chance.integers(0, 256)
    path.write_bytes(content[: int(chance.integers(len(content) // 2, len(content) + 1))])
    try:
        facts, proxy, _, _ = everything_of(path)
    except InputError as error:
        reason = error.reason
    else:
        assert facts.width
        assert proxy.frame_count <= 60
        return
    assert reason in {"UNREADABLE", "NO_FRAMES", "NO_VIDEO_STREAM", "UNSUPPORTED_CODEC"}
