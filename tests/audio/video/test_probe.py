"""What a video is: its size upright, its rate, its streams."""

from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from harken.audio import Feature, InputError, analyze
from harken.audio.video.contact_sheet import clock
from tests.audio.video.films import FPS, MATRICES, film, flashing_film


def facts(path):
    return analyze(path, [Feature.VIDEO]).video


def test_real_videos_are_what_they_are(samples):
    nasa = facts(samples / "video" / "video_nasa_h264.mp4")
    assert (nasa.width, nasa.height, nasa.codec, nasa.profile) == (480, 270, "h264", "High")
    assert nasa.fps == pytest.approx(30_000 / 1001)
    assert (nasa.frame_count, nasa.variable_frame_rate, nasa.rotation_degrees) == (390, False, 0)
    assert nasa.duration_s == pytest.approx(13.013, abs=1e-3)
    kinds = ["video", "audio", "subtitle"] * 2
    assert [stream.kind for stream in nasa.streams] == kinds
    assert {stream.language for stream in nasa.streams} == {"eng"}
    assert [stream.codec for stream in nasa.streams][:3] == ["h264", "aac", "mov_text"]
    assert nasa.streams[3].bit_rate == nasa.bit_rate == 128_783
    assert (nasa.color_space, nasa.color_transfer, nasa.hdr) == ("bt709", "bt709", False)
    silent = facts(samples / "video" / "video_h265_noaudio.mp4")
    assert (silent.codec, silent.fps, silent.duration_s, silent.stream_count) == ("hevc", 10, 1, 1)
    webm = facts(samples / "video" / "video_rabbit320.webm")
    assert (webm.codec, webm.container, webm.frame_count) == ("vp8", "webm", None)
    assert webm.duration_s == pytest.approx(7.8, abs=0.05)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("turns", MATRICES)
def test_a_turned_film_is_as_large_as_it_is_shown(tmp_path, turns, mirrored):
    a, b, c, d = MATRICES[turns]
    matrix = (-a, b, -c, d) if mirrored else (a, b, c, d)
    found = facts(film(tmp_path / "a.mp4", frames=3, matrix=matrix))
    assert (found.width, found.height) == (96, 64)
    shown = (64, 96) if turns % 2 else (96, 64)
    assert (found.display_width, found.display_height) == shown
    assert (found.rotation_degrees, found.mirrored) == (90 * turns, mirrored)


@pytest.mark.parametrize(
    ("aspect", "shown"),
    [
        (Fraction(4, 3), (128, 64)),
        (Fraction(2, 3), (96, 96)),
        (Fraction(1, 250), (96, 64)),  # nobody's pixels
    ],
)
def test_pixels_that_are_not_square_count_as_they_are_shown(tmp_path, aspect, shown):
    found = facts(film(tmp_path / "a.mkv", frames=3, pixel_aspect=aspect))
    assert (found.display_width, found.display_height) == shown


def test_a_variable_frame_rate_is_told_from_one_whose_times_are_rounded(tmp_path):
    uneven = facts(flashing_film(tmp_path / "a.mkv", uneven=True, seconds=3))
    even = facts(flashing_film(tmp_path / "b.mkv", seconds=3))
    assert (uneven.variable_frame_rate, even.variable_frame_rate) == (True, False)


def test_the_length_is_that_of_what_is_there_not_what_the_header_says(tmp_path):
    whole = film(tmp_path / "a.mp4", frames=500, faststart=True)
    assert facts(whole).duration_s == pytest.approx(500 / FPS)
    content = whole.read_bytes()
    start = content.find(b"mdat")
    whole.write_bytes(content[: start + (len(content) - start) // 2])
    cut = facts(whole)
    assert cut.frame_count == 500  # by its index
    assert 8 < cut.duration_s < 12


def test_frames_without_times_are_counted(tmp_path):
    assert facts(film(tmp_path / "a.h264", form="h264")).duration_s == pytest.approx(100 / FPS)


@pytest.mark.parametrize("name", ["music/music_freepd_backbeat.mp3", "picture.png"])
def test_a_cover_or_a_single_picture_is_no_video(samples, tmp_path, name):
    path = samples / name
    if name == "picture.png":
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(path := tmp_path / name)
    with pytest.raises(InputError, match="nothing but still pictures") as refused:
        facts(path)
    assert refused.value.reason == "NO_VIDEO_STREAM"


def test_a_file_of_sound_alone_is_no_video(media):
    with pytest.raises(InputError, match="no picture") as refused:
        facts(media / "piece.wav" if (media / "piece.wav").exists() else media / "piece.flac")
    assert refused.value.reason == "NO_VIDEO_STREAM"


def test_times_are_written_as_players_write_them():
    written = [clock(s) for s in (0.0, 7.25, 59.99, 60.0, 754.9, 3723.0)]
    assert written == ["0:00.0", "0:07.2", "0:59.9", "1:00", "12:34", "1:02:03"]
