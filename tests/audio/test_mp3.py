"""MP3 whose frames harken finds by itself: all is as if FFmpeg alone had read the file, whatever is broken in it."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame

from harken.audio import Feature, analyze
from harken.audio.decode import Recording
from tests.audio.two_ways import Ways, found, found_by_ffmpeg, samples_of

RATES: Final = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
LAYOUTS: Final = ("mono", "stereo")
NO_SKIP: Final = {"write_xing": "0", "id3v2_version": "0"}  # begins with a frame of sound


def encoded(
    path: Path,
    *,
    seconds: float = 3.0,
    rate: int = 44_100,
    layout: str = "stereo",
    kbps: int = 0,
    coding: dict[str, str] | None = None,
    writing: dict[str, str] | None = None,
    title: str = "",
) -> bytes:
    """A rising tone with noise, by LAME through FFmpeg; `writing` holds what the muxer is told."""
    rng, time = np.random.default_rng(rate), np.arange(round(seconds * rate)) / rate
    tone = 0.4 * np.sin(2 * np.pi * (200 + 300 * time) * time)
    lines = [
        tone + 0.02 * rng.standard_normal(time.shape[0]) for _ in range(LAYOUTS.index(layout) + 1)
    ]
    with av.open(path, "w", format="mp3", container_options=writing or {}) as container:
        if title:
            container.metadata["title"] = title
        stream = container.add_stream("libmp3lame", rate, layout=layout, options=coding or {})
        if kbps:
            stream.bit_rate = kbps * 1_000
        sound = AudioFrame.from_ndarray(np.asarray(lines, dtype=np.float32), "fltp", layout)
        sound.sample_rate = rate
        container.mux(stream.encode(sound))
        container.mux(stream.encode(None))
    return path.read_bytes()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("rate", RATES)
def test_every_rate_is_read_without_the_silence_that_encoders_add(
    tmp_path: Path, ways: Ways, rate: int, layout: str
) -> None:
    path = tmp_path / "sound.mp3"
    encoded(path, rate=rate, layout=layout)
    assert samples_of(path).shape == (LAYOUTS.index(layout) + 1, 3 * rate)
    assert (ways.own_samples, ways.by_ffmpeg) == (3 * rate, False)
    assert found(path) == found_by_ffmpeg(path)


CODINGS: Final = (
    *({"kbps": kbps} for kbps in (32, 64, 96, 160, 224, 320)),
    *({"coding": {"q": quality}} for quality in ("0", "4", "9")),
    {"coding": {"abr": "1"}, "kbps": 128},
    {"coding": {"joint_stereo": "0"}},
    {"coding": {"reservoir": "0"}},
    {"coding": {"copyright": "1", "original": "0"}},
    *({"writing": {"id3v2_version": version}, "title": "x" * 5_000} for version in ("0", "3", "4")),
    {"writing": {"write_id3v1": "1"}, "title": "x"},
    {"writing": {"write_xing": "0"}},
    {"writing": NO_SKIP},
    {"seconds": 0.01},
    {"seconds": 0.03, "rate": 16_000},
)


@pytest.mark.parametrize("coding", CODINGS, ids=str)
def test_every_coding_is_read(tmp_path: Path, ways: Ways, coding: dict[str, Any]) -> None:
    path = tmp_path / "sound.mp3"
    encoded(path, **coding)
    mine = found(path)
    assert ways.own_samples > 0
    assert not ways.by_ffmpeg
    assert mine == found_by_ffmpeg(path)


def a_tag(size: int) -> bytes:
    """ID3v2 with nothing in it but room."""
    return (
        b"ID3\x04\x00\x00" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) + bytes(size)
    )


def not_plain(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Files that harken gives up at some place, by what is unusual there."""
    path = folder / "made.mp3"
    whole = encoded(path, writing={"id3v2_version": "0"})
    bare = encoded(path, writing=NO_SKIP)
    other = encoded(path, rate=48_000, writing=NO_SKIP)
    mono = encoded(path, layout="mono", writing=NO_SKIP)
    yield "two files in one", whole + whole
    yield "another rate follows", bare + other
    yield "other channels follow", bare + mono
    yield "junk follows", bare + random.Random(1).randbytes(5_000)
    yield "junk before", random.Random(2).randbytes(700) + bare
    yield "junk between", bare + bytes(100) + bare
    yield "the last frame is cut", bare[:-100]
    yield "APE tag behind", bare + b"APETAGEX" + bytes(200)
    yield "tag in the middle", bare + a_tag(2_000) + bare
    for place in (bare.index(bare[:2], 3_000), bare.rindex(bare[:2])):
        yield (
            f"an impossible frame at {place}",
            bare[: place + 4] + b"\xff" * 32 + bare[place + 36 :],
        )
    at = whole.index(b"Xing") if b"Xing" in whole else whole.index(b"Info")
    yield "not told how many frames", whole[: at + 7] + b"\x0e" + whole[at + 12 :]
    yield "told too few frames", whole[: at + 8] + (20).to_bytes(4, "big") + whole[at + 12 :]
    yield "told no frames", whole[: at + 8] + bytes(4) + whole[at + 12 :]


def test_what_is_not_plain_is_what_ffmpeg_makes_of_it(tmp_path: Path, ways: Ways) -> None:
    path = tmp_path / "sound.mp3"
    for name, data in not_plain(tmp_path):
        path.write_bytes(data)
        ways.by_ffmpeg = False
        mine = found(path)
        assert ways.by_ffmpeg, name
        assert mine == found_by_ffmpeg(path), name


def plain(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Files that are unusual, and yet nothing FFmpeg has to help with."""
    path = folder / "made.mp3"
    whole = encoded(path, writing={"id3v2_version": "0"})
    bare = encoded(path, writing=NO_SKIP)
    yield "begins in the middle", bare[bare.index(bare[:2], 5_000) :]
    yield "a frame without bits", bare + bare[:4] + bytes(413)
    yield "two tags before", a_tag(300) + a_tag(20_000) + whole
    yield "large tag before", a_tag(1_000_000) + whole
    yield "tag behind", whole + b"TAG" + bytes(125)
    at = whole.index(b"Xing") if b"Xing" in whole else whole.index(b"Info")
    told = int.from_bytes(whole[at + 8 : at + 12], "big")
    yield "told too many frames", whole[: at + 8] + (told + 9).to_bytes(4, "big") + whole[at + 12 :]
    name = at + 120
    yield "an unknown encoder", whole[:name] + b"Nobody" + whole[name + 6 :]
    for before, behind in ((0, 0), (0, 4_095), (4_095, 0), (4_095, 4_095), (576, 528), (576, 530)):
        delays = (before << 12 | behind).to_bytes(3, "big")
        yield f"{before} before, {behind} behind", whole[: name + 21] + delays + whole[name + 24 :]


def test_what_is_unusual_and_plain_needs_no_help(tmp_path: Path, ways: Ways) -> None:
    path = tmp_path / "sound.mp3"
    for name, data in plain(tmp_path):
        path.write_bytes(data)
        ways.by_ffmpeg = False
        mine = found(path)
        assert not ways.by_ffmpeg, name
        assert mine == found_by_ffmpeg(path), name
    assert ways.own_samples > 0


def damaged(data: bytes, rng: random.Random) -> bytes:
    """A few bytes changed, lost or doubled."""
    broken = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        at = (
            rng.randrange(len(broken))
            if rng.random() < 0.8
            else rng.randrange(min(600, len(broken)))
        )
        kind = rng.random()
        if kind < 0.7:
            broken[at] = rng.randrange(256)
        elif kind < 0.85:
            del broken[at : at + rng.randint(1, 900)]
        else:
            broken[at:at] = broken[at : at + rng.randint(1, 900)]
    return bytes(broken)


@pytest.mark.parametrize("rate", [22_050, 44_100])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_damaged_file_gives_what_ffmpeg_makes_of_it(
    tmp_path: Path, ways: Ways, rate: int, layout: str
) -> None:
    path, rng = tmp_path / "sound.mp3", random.Random(rate)
    data = encoded(path, seconds=1.5, rate=rate, layout=layout, coding={"q": "5"})
    for number in range(60):
        path.write_bytes(damaged(data, rng))
        assert found(path) == found_by_ffmpeg(path), number
    assert ways.own_samples > 60 * rate // 4
    assert ways.by_ffmpeg


def test_damage_at_the_end_of_a_long_file_leaves_it_cancellable(tmp_path: Path) -> None:
    """FFmpeg reads all of it again, of which nothing new comes for a while."""
    path = tmp_path / "sound.mp3"
    waits: list[float] = []
    path.write_bytes(encoded(path, seconds=40)[:-100])
    with Recording(str(path)) as recording:
        for _ in recording.blocks(on_wait=lambda: waits.append(recording.decoded_s)):
            pass
    assert len(waits) >= 15
    assert min(waits) > 37

    told: list[str] = []
    analyze(path, [Feature.LOUDNESS], on_progress=lambda *report: told.append(report[2]))
    assert max(told.count(line) for line in told) >= 15
