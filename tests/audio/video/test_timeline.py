"""A stream's clock, whatever its stamps are."""

from hypothesis import given
from hypothesis import strategies as st

from harken.audio.video.timeline import Timeline

TICK = 0.001
STAMPS = st.lists(st.none() | st.integers(-(2**63), 2**63 - 1) | st.integers(0, 5_000), max_size=40)


def times(stamps, *, origin_s=0.0, longest_s=100.0, leap_s=10.0):
    """When frames of 40 ms with these stamps are due."""
    clock = Timeline(TICK, origin_s, longest_s, leap_s)
    return [round(clock.at(stamp, 0.04), 6) for stamp in stamps]


def test_honest_stamps_are_what_they_say():
    assert times([2000, 2040, 2200], origin_s=2.0) == [0.0, 0.04, 0.2]


def test_what_bears_no_stamp_follows_the_one_before():
    assert times([None, None, 500, None]) == [0.0, 0.04, 0.5, 0.54]


def test_a_clock_that_starts_anew_goes_on_from_there():
    assert times([5000, 5040, 0, 40]) == [5.0, 5.04, 5.08, 5.12]


def test_a_leap_that_is_too_far_is_none():
    assert times([0, 20_000, 20_040]) == [0.0, 0.04, 0.08]
    assert times([0, 2**62, 2**62 + 40], leap_s=1e30) == [0.0, 0.04, 0.08]


@given(STAMPS)
def test_no_stamps_make_a_film_longer_than_leaps_and_frames_allow(stamps):
    found = times(stamps)
    assert all(-1.0 <= time <= 10.04 * (place + 1) for place, time in enumerate(found))
