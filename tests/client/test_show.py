"""`harken show` draws a file without a server, and a terminal is told nothing it cannot show."""

import numpy as np
import pytest
from PIL import Image

from harken.client.cli.blocks import block_lines, in_colour


def test_colour_is_for_terminals_that_have_it_and_users_who_want_it():
    assert in_colour({"TERM": "xterm-256color"}, is_terminal=True)
    assert not in_colour({"TERM": "xterm-256color"}, is_terminal=False)
    assert not in_colour({"TERM": "dumb"}, is_terminal=True)
    assert not in_colour({}, is_terminal=True)
    assert not in_colour({"TERM": "xterm", "NO_COLOR": "1"}, is_terminal=True)


def test_two_rows_are_one_line_of_halves_in_colour():
    picture = Image.fromarray(np.array([[[1, 2, 3]], [[4, 5, 6]]], dtype=np.uint8))
    (line,) = block_lines(picture, colour=True, dark=True)
    assert line == "\x1b[38;2;1;2;3;48;2;4;5;6m▀\x1b[0m"


@pytest.mark.parametrize("dark", [True, False])
def test_without_colour_what_stands_out_from_the_ground_is_dense(dark):
    ground, shape = (0, 255) if dark else (255, 0)
    picture = Image.fromarray(np.array([[ground, shape, ground]] * 2, dtype=np.uint8))
    assert block_lines(picture, colour=False, dark=dark) == [" @"]
