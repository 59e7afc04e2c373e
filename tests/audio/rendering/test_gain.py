"""The gain reaches the loudness as far as the ceiling lets it."""

import pytest

from harken.audio.rendering.gain import Levels, gain_for

TRACK = Levels(integrated_lufs=-20.0, true_peak_dbtp=-4.0, sample_peak_dbfs=-4.5)
SILENCE = Levels(integrated_lufs=None, true_peak_dbtp=None, sample_peak_dbfs=None)
HOT = Levels(integrated_lufs=-6.0, true_peak_dbtp=1.5, sample_peak_dbfs=0.5)


@pytest.mark.parametrize(
    ("levels", "loudness", "ceiling", "clips", "db", "held"),
    [
        (TRACK, -18.0, -1.0, True, 2.0, False),
        (TRACK, -14.0, -1.0, True, 3.0, True),
        (TRACK, -14.0, None, True, 4.5, True),  # full scale
        (TRACK, -14.0, None, False, 6.0, False),  # floating point
        (TRACK, -30.0, -1.0, True, -10.0, False),
        (TRACK, None, None, True, 0.0, False),
        (TRACK, None, -6.0, True, -2.0, True),
        (HOT, None, None, True, -0.5, True),
        (HOT, None, None, False, 0.0, False),
        (SILENCE, -14.0, -1.0, True, 0.0, False),
    ],
)
def test_gain(levels, loudness, ceiling, clips, db, held):
    gain = gain_for(levels, loudness_lufs=loudness, ceiling_dbtp=ceiling, clips=clips)
    assert gain.db == pytest.approx(db)
    assert gain.held is held
