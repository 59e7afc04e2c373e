"""Tokens: what goes in comes out, for the same request only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harken.server import tokens
from harken.server.errors import InvalidToken

values = st.integers() | st.text()
bindings = st.lists(st.text() | st.integers(), max_size=3)


@given(values, bindings)
def test_a_token_gives_back_what_it_was_made_of(value: str | int, bound_to: list) -> None:
    assert tokens.decode(tokens.encode(value, bound_to), bound_to, field="token") == value


@given(values, bindings, bindings)
def test_a_token_is_refused_for_another_request(value: str | int, one: list, other: list) -> None:
    if one == other:
        return
    with pytest.raises(InvalidToken):
        tokens.decode(tokens.encode(value, one), other, field="token")


@given(st.text())
def test_text_that_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(InvalidToken):
        tokens.decode(text, ["job"], field="token")


@given(st.integers(), st.data())
def test_a_token_with_a_changed_character_is_refused(value: int, data: st.DataObject) -> None:
    token = tokens.encode(value, ["job"])
    place = data.draw(st.integers(0, len(token) - 2))
    other = data.draw(st.sampled_from("ABCDEFabcdef012345").filter(lambda c: c != token[place]))
    with pytest.raises(InvalidToken):
        tokens.decode(token[:place] + other + token[place + 1 :], ["job"], field="token")


def test_a_page_token_is_no_resume_token() -> None:
    with pytest.raises(InvalidToken):
        tokens.decode_position(tokens.encode("a job id", ["x"]), ["x"], field="resume_token")
