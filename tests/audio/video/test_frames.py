"""Frames at given times, the frame that stands for a film, and the contact sheet."""

import numpy as np
import pytest
from PIL import Image

from harken.audio.video.contact_sheet import GAP, Grid, contact_sheet
from harken.audio.video.frame_finder import FrameFinder
from harken.audio.video.picture import encoded, picture_of
from harken.audio.video.poster import poster
from harken.audio.video.shape import Shape, box_of
from tests.audio.video.films import FPS, film, number_in, numbered, opened


def nothing(*_):
    """Nobody is told."""


def number(found):
    return number_in(found.frame.to_ndarray(format="rgb24"))


@pytest.mark.parametrize(
    ("name", "form"), [("a.mp4", None), ("a.mkv", None), ("a.ts", "mpegts"), ("a.h264", "h264")]
)
def test_a_frame_is_the_one_that_is_shown_at_that_time(tmp_path, name, form):
    path = film(tmp_path / name, form=form, frames=300, keyframes=50)
    times = [0.0, 0.05, 1.0, 1.01, 3.999, 4.0, 4.1, 9.0, 11.96, 60.0]
    with opened(path) as some:
        finder = FrameFinder(some, nothing)
        found = [finder.at(time) for time in times]
    assert [number(one) for one in found] == [min(int(time * FPS + 1e-6), 299) for time in times]
    assert [one.time_s for one in found] == [
        pytest.approx(number(one) / FPS, abs=1e-4) for one in found
    ]


def test_a_film_of_one_keyframe_is_not_decoded_once_for_each_time(tmp_path):
    path = film(tmp_path / "a.mp4", frames=500, keyframes=1000)
    told = []
    with opened(path) as some:
        finder = FrameFinder(some, lambda: told.append(1))
        found = [finder.at(second) for second in range(20)]
    assert [number(one) for one in found] == [FPS * second for second in range(20)]
    assert len(told) < 2.5 * 500


def test_a_jump_spares_what_lies_between(tmp_path):
    path = film(tmp_path / "a.mp4", frames=1000, keyframes=25)
    told = []
    with opened(path) as some:
        assert number(FrameFinder(some, lambda: told.append(1)).at(36.0)) == 900
    assert len(told) < 100


def test_the_frame_that_stands_for_a_film_is_neither_black_nor_blank(tmp_path):
    dark, white = (np.full((64, 96, 3), grey, np.uint8) for grey in (0, 255))
    pictures = [*[dark] * 30, *[white] * 20, *[numbered(0b101010)] * 50]
    with opened(film(tmp_path / "a.mp4", pictures)) as some:
        assert poster(FrameFinder(some, nothing), 4.0).time_s >= 2.0
    with opened(film(tmp_path / "b.mp4", [dark] * 20)) as some:
        assert poster(FrameFinder(some, nothing), 0.8) is not None  # there is nothing better


def sheet_of(path, length_s, **grid):
    with opened(path) as some:
        wanted = Grid(**{"columns": 4, "rows": 3, "width": 640, **grid})
        return contact_sheet(some, FrameFinder(some, nothing), length_s, wanted, "a film", nothing)


def test_a_contact_sheet_shows_the_film_in_order(tmp_path):
    sheet = sheet_of(film(tmp_path / "a.mp4", frames=300), 12.0)
    assert (len(sheet.times_s), sheet.rows) == (12, 3)
    # Evenly: each within its twelfth of the film.
    assert [int(time) for time in sheet.times_s] == list(range(12))
    pixels = np.asarray(sheet.picture)
    cell = (sheet.picture.width - GAP) // 4 - GAP
    head = sheet.picture.height - 3 * (round(cell * 64 / 96) + GAP)
    for place, time in enumerate(sheet.times_s):
        row, column = divmod(place, 4)
        top = head + row * (round(cell * 64 / 96) + GAP)
        left = GAP + column * (cell + GAP)
        # The film is smaller than its cell and stands in the middle of it; its upper half bears no time.
        inner = pixels[top + (round(cell * 64 / 96) - 64) // 2 :, left + (cell - 96) // 2 :]
        assert number_in(inner[:40, :96]) == round(time * FPS)


def test_a_film_shorter_than_the_sheet_shows_each_frame_once(tmp_path):
    sheet = sheet_of(film(tmp_path / "a.mp4", frames=5), 0.2)
    assert sheet.times_s == tuple(pytest.approx(n / FPS) for n in range(5))
    assert sheet.rows == 2


@pytest.mark.parametrize("image_format", ["jpeg", "png"])
def test_a_picture_is_never_larger_than_the_film_and_reads_as_it_was(tmp_path, image_format):
    with opened(film(tmp_path / "a.mp4", frames=50)) as some:
        found = FrameFinder(some, nothing).at(1.0)
        shape = Shape.of(found.frame, None)
        for height, shown in ((720, (96, 64)), (32, (48, 32))):
            size = shape.within(box_of(height))
            made = encoded(picture_of(found.frame, shape, size), image_format)
            (path := tmp_path / "made").write_bytes(made)
            with Image.open(path) as image:
                assert (image.size, image.format) == (shown, image_format.upper())
                assert number_in(np.asarray(image)) == 25
