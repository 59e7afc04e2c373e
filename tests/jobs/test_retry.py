from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from harken.jobs.retry import LONGEST_DELAY_S, retry_delay

retries = st.integers(0, 10_000)
chances = st.floats(0, 1, exclude_max=True)


@given(retries, chances)
def test_a_delay_is_at_least_a_second_and_at_most_ten_minutes(number, chance):
    assert timedelta(seconds=1) <= retry_delay(number, chance) <= timedelta(minutes=10)


@given(retries, chances)
def test_a_later_retry_waits_at_least_as_long(number, chance):
    assert retry_delay(number + 1, chance) >= retry_delay(number, chance)


@given(st.integers(0, 7), chances)
def test_below_the_cap_the_delay_doubles(number, chance):
    once, twice = retry_delay(number, chance), retry_delay(number + 1, chance)
    assert abs(twice - 2 * once) <= timedelta(microseconds=2)


@given(retries)
def test_chance_spreads_the_delay_over_its_upper_half(number):
    longest = retry_delay(number, 1.0)
    assert abs(retry_delay(number, 0.0) - longest / 2) <= timedelta(microseconds=1)
    assert retry_delay(number, 0.25) < retry_delay(number, 0.75) < longest


def test_the_first_retry_comes_after_about_two_seconds_and_a_late_one_after_ten_minutes():
    assert retry_delay(0, 1.0) == timedelta(seconds=2)
    assert retry_delay(50, 1.0) == timedelta(seconds=LONGEST_DELAY_S) == timedelta(minutes=10)
