from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from harken.jobs.queueing.fairness import choose


def chosen(candidates, room, *, in_flight=None, weights=None):
    return choose(candidates, in_flight=in_flight or {}, weights=weights or {}, room=room)


def test_owners_take_turns():
    assert chosen({"a": ["a1", "a2", "a3"], "b": ["b1", "b2"]}, 4) == ["a1", "b1", "a2", "b2"]


def test_an_owners_own_jobs_keep_their_order():
    assert chosen({"a": [1, 2, 3]}, 10) == [1, 2, 3]


def test_who_has_much_in_flight_waits_until_the_others_have_as_much():
    candidates = {"a": ["a1", "a2"], "b": ["b1", "b2", "b3"]}
    assert chosen(candidates, 4, in_flight={"a": 2}) == ["b1", "b2", "a1", "b3"]


def test_twice_the_weight_is_twice_the_share():
    candidates = {"a": ["a"] * 100, "b": ["b"] * 100}
    assert Counter(chosen(candidates, 90, weights={"a": 2.0})) == {"a": 60, "b": 30}


def test_who_has_nothing_waiting_leaves_the_room_to_others():
    assert chosen({"a": [], "b": ["b1", "b2"]}, 2, weights={"a": 100.0}) == ["b1", "b2"]


@given(
    waiting=st.dictionaries(st.sampled_from("abcd"), st.integers(0, 20)),
    in_flight=st.dictionaries(st.sampled_from("abcd"), st.integers(0, 20)),
    room=st.integers(0, 50),
)
def test_the_room_is_used_and_nobody_is_ahead_of_an_owner_who_waits(waiting, in_flight, room):
    candidates = {owner: [owner] * number for owner, number in waiting.items()}
    taken = Counter(chosen(candidates, room, in_flight=in_flight))
    assert taken.total() == min(room, sum(waiting.values()))
    has = {owner: in_flight.get(owner, 0) + taken[owner] for owner in waiting}
    for owner, number in waiting.items():
        if taken[owner] < number:  # it still waits, so nobody got a job beyond its share and one
            assert all(has[other] <= has[owner] + 1 for other in waiting if taken[other])
