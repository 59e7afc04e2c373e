"""The proxy: small, in step, upright, playable at once, and bounded whatever the film is like."""

import av
import numpy as np
import pytest

from harken.audio import InputError
from harken.audio.video.proxy import ProxyForm, write_proxy
from tests.audio.video.films import (
    MATRICES,
    clicks,
    film,
    flashes,
    flashing_film,
    number_in,
    numbered,
    opened,
)


def proxy_of(path, *, height=480, fps=10.0):
    """What was made, and where it is."""
    made = path.with_suffix(".proxy.mp4")
    with opened(path) as some, made.open("w+b") as file:
        form = ProxyForm(height=height, fps=fps)
        return write_proxy(some, file, form, threads=1, on_time=lambda _: None), made


def test_a_real_video_becomes_h264_and_aac_with_the_index_at_the_front(samples, tmp_path):
    (path := tmp_path / "a.webm").write_bytes(
        (samples / "video" / "video_rabbit320.webm").read_bytes()
    )
    made, file = proxy_of(path, height=120)
    assert (made.width, made.height, made.has_sound) == (160, 120, True)
    content = file.read_bytes()
    assert 0 < content.find(b"moov") < content.find(b"mdat")
    with av.open(file) as container:
        picture, sound = container.streams.video[0], container.streams.audio[0]
        assert (picture.codec_context.name, sound.codec_context.name) == ("h264", "aac")
        assert (picture.pix_fmt, picture.width, picture.height) == ("yuv420p", 160, 120)
        assert picture.frames == made.frame_count == pytest.approx(78, abs=1)
        assert float(sound.duration * sound.time_base) == pytest.approx(7.78, abs=0.1)


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"uneven": True},
        {"sound_from_s": 1.5},
        {"picture_from_s": 1.5},
        {"gap": True},
        {"uneven": True, "gap": True, "sound_from_s": 0.7, "form": "mpegts"},
        {"sound_from_s": 1.5, "form": "mp4"},
    ],
    ids=str,
)
def test_picture_and_sound_stay_in_step(tmp_path, how):
    """A slot of a tenth of a second shows what began before it, so a flash may be late by that, and is never early."""
    _, file = proxy_of(flashing_film(tmp_path / "a.video", **how))
    heard = {round(time): time for time in clicks(file)}
    seen = {int(time): time for time in flashes(file)}
    both = heard.keys() & seen.keys()
    assert len(both) >= 3
    for second in both:
        assert heard[second] == pytest.approx(second, abs=0.03)
        assert (
            -0.001 <= seen[second] - second <= 0.2
        )  # and the film's own frames are not at full seconds


def test_slots_show_the_frame_of_their_time(tmp_path):
    made, file = proxy_of(film(tmp_path / "a.mp4", frames=100))
    assert (made.frame_count, made.duration_s) == (40, 4.0)
    with av.open(file) as container:
        frames = [number_in(f.to_ndarray(format="rgb24")) for f in container.decode(video=0)]
    assert frames == [int(slot * 2.5) for slot in range(40)]


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("turns", MATRICES)
def test_a_turned_film_is_written_upright(tmp_path, turns, mirrored):
    a, b, c, d = MATRICES[turns]
    matrix = (-a, b, -c, d) if mirrored else (a, b, c, d)
    upright = np.zeros((64, 96, 3), np.uint8)
    upright[:32, :48], upright[:32, 48:], upright[32:, :48] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    stored = np.ascontiguousarray(np.rot90(upright[:, ::-1] if mirrored else upright, turns))
    _, file = proxy_of(film(tmp_path / "a.mp4", [stored] * 5, matrix=matrix))
    with av.open(file) as container:
        shown = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert shown.shape == upright.shape
    corners = [shown[y, x].argmax() for y, x in ((16, 24), (16, 72), (48, 24))]
    assert corners == [0, 1, 2]


@pytest.mark.parametrize(
    ("size", "height", "made"),
    [((322, 242), 480, (322, 242)), ((322, 242), 121, (160, 120)), ((2000, 16), 480, (1920, 14))],
)
def test_a_proxy_is_never_larger_and_has_even_sides(tmp_path, size, height, made):
    path = film(tmp_path / "a.mp4", [numbered(n, *size) for n in range(3)])
    found, _ = proxy_of(path, height=height)
    assert (found.width, found.height) == made


def test_a_film_that_changes_its_size_keeps_the_first(tmp_path):
    parts = [
        film(tmp_path / f"{w}.h264", [numbered(n, w, h) for n in range(50)], form="h264")
        for w, h in ((96, 64), (384, 256), (48, 32))
    ]
    (path := tmp_path / "a.h264").write_bytes(b"".join(part.read_bytes() for part in parts))
    made, file = proxy_of(path)
    assert (made.width, made.height, made.frame_count) == (96, 64, 60)
    with av.open(file) as container:
        numbers = [number_in(f.to_ndarray(format="rgb24")) for f in container.decode(video=0)]
    assert numbers == [int(slot * 2.5) % 50 for slot in range(60)]


@pytest.mark.parametrize(
    ("stamps", "form", "frames"),
    [
        (lambda n: n * 10**10, "nut", 40),  # years apart
        (lambda n: 0 if n < 50 else n, "matroska", None),
        (lambda n: n - 50, "matroska", 40),
    ],
    ids=["years apart", "one for many", "negative"],
)
def test_stamps_make_a_proxy_no_longer_than_its_frames(tmp_path, stamps, form, frames):
    path = film(tmp_path / "a.video", form=form, stamps=stamps, b_frames=0, keyframes=1)
    made, file = proxy_of(path)
    assert made.frame_count <= 40
    assert frames is None or made.frame_count == frames
    assert made.duration_s <= 10
    assert file.stat().st_size < 200_000


def test_a_clock_that_starts_anew_goes_on(tmp_path):
    once = film(tmp_path / "a.ts", form="mpegts").read_bytes()
    (path := tmp_path / "b.ts").write_bytes(3 * once)
    made, _ = proxy_of(path)
    assert made.duration_s == pytest.approx(12.0, abs=0.3)


def test_noise_stays_within_the_bit_rate(tmp_path):
    noise = np.random.default_rng(1)
    pictures = [noise.integers(0, 256, (240, 320, 3)).astype(np.uint8) for _ in range(100)]
    _, file = proxy_of(film(tmp_path / "a.mp4", pictures))
    assert file.stat().st_size < 4.0 * 1_500_000 / 8 + 3_000_000 / 8


def test_a_film_of_which_nothing_can_be_decoded_is_refused(tmp_path):
    path = film(tmp_path / "a.mp4", faststart=True)
    content = bytearray(path.read_bytes())
    start = content.find(b"mdat") + 4
    content[start:] = bytes(len(content) - start)
    path.write_bytes(content)
    with pytest.raises(InputError) as refused:
        proxy_of(path)
    assert refused.value.reason == "NO_FRAMES"
