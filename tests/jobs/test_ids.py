import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harken.jobs.ids import is_id, new_id

times = st.datetimes(datetime(1970, 1, 2), datetime(9000, 1, 1), timezones=st.just(UTC))
noise = st.binary(min_size=10, max_size=10)


@given(times, noise)
def test_an_id_is_a_uuid_of_version_7(now, random):
    made = uuid.UUID(new_id(now, lambda _: random))
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert is_id(str(made))


@given(times, noise)
def test_an_id_tells_the_millisecond_it_was_made_in(now, random):
    milliseconds = uuid.UUID(new_id(now, lambda _: random)).int >> 80
    made = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)
    assert abs(made - now) <= timedelta(milliseconds=1)


@given(times, noise, noise)
def test_a_later_id_sorts_after_an_earlier_one(now, one, two):
    earlier = new_id(now, lambda _: one)
    later = new_id(now + timedelta(milliseconds=1), lambda _: two)
    assert earlier < later


@given(times, st.integers(0, 2**74 - 1))
def test_all_74_random_bits_tell_ids_apart(now, number):
    """Whatever they are, they come back out of the id."""
    high, low = number >> 62, number & (2**62 - 1)
    made = uuid.UUID(new_id(now, lambda _: (high << 64 | low).to_bytes(10, "big"))).int
    assert (made >> 64 & 0xFFF, made & (2**62 - 1)) == (high, low)


def test_ids_of_one_moment_differ():
    now = datetime.now(UTC)
    assert len({new_id(now) for _ in range(10_000)}) == 10_000


@given(st.uuids())
def test_any_uuid_is_an_id_in_either_case(made):
    assert is_id(str(made))
    assert is_id(str(made).upper())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "0197c0de00007000800000000000dead",
        "{0197c0de-0000-7000-8000-00000000dead}",
        "urn:uuid:0197c0de-0000-7000-8000-00000000dead",
        "0197c0de-0000-7000-8000-00000000dea",
        "0197c0de-0000-7000-8000-00000000deadd",
        "0197c0de-0000-7000-8000-00000000deag",
        "0197c0de0-000-7000-8000-00000000dead",
        " 0197c0de-0000-7000-8000-00000000dead",
        "0197c0de-0000-7000-8000-00000000dead\n",
        "０197c0de-0000-7000-8000-00000000dead",
        "0197c0de-0000-7000-8000-0000_000dead",
        "+197c0de-0000-7000-8000-00000000dead",
    ],
)
def test_only_the_usual_spelling_is_an_id(text):
    assert not is_id(text)


@given(st.text(max_size=40))
def test_whatever_is_sent_is_an_id_or_not_and_no_error(text):
    assert is_id(text) in (True, False)
