"""Frames that wait are given back as they came, from memory and from the file beyond."""

import numpy as np
import pytest

from harken.audio import spool
from harken.audio.blocks import FRAME_RATE
from harken.audio.spool import FrameSpool

COLUMNS = 3


@pytest.mark.parametrize("on_disk", [False, True])
def test_any_stretch_of_frames_comes_back(monkeypatch: pytest.MonkeyPatch, on_disk: bool) -> None:
    if on_disk:  # a second of memory instead of ten minutes
        monkeypatch.setattr(spool, "MEMORY_S", 1.0)
    frames = np.random.default_rng(1).normal(size=(5_000, COLUMNS)).astype(np.float32)
    assert frames.shape[0] > 10 * FRAME_RATE
    with FrameSpool(COLUMNS) as kept:
        for part in np.split(frames, [1, 700, 701, 3_000]):
            kept.add(part)
        for first, last in ((0, 5_000), (0, 0), (17, 900), (4_999, 6_000), (6_000, 7_000), (9, 3)):
            np.testing.assert_array_equal(
                kept.frames(first, last), frames[first : max(last, first)]
            )
        np.testing.assert_array_equal(np.concatenate([*kept.blocks()]), frames)
