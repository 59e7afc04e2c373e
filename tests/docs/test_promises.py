"""The page of promises names tests and judges that exist, and every judge of a history stands on it."""

import re

import pytest

from tests.chaos.checks import CHECKS
from tests.docs.examples import REPOSITORY

PAGE = REPOSITORY / "docs" / "promises.md"
NAMED = re.compile(r"\[`(\w+)`\]\((\S+\.py)\)")
LINKS = NAMED.findall(PAGE.read_text())
PROMISES = re.findall(r"^## (\d)\. (.+?)$(.*?)(?=^## )", PAGE.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("name", "file"), LINKS, ids=[name for name, _ in LINKS])
def test_what_is_named_is_there(name: str, file: str) -> None:
    code = (PAGE.parent / file).read_text()
    assert re.search(rf"^(async )?def {name}\(", code, re.MULTILINE)


def test_there_are_eight_promises() -> None:
    assert [number for number, _, _ in PROMISES] == list("12345678")


@pytest.mark.parametrize("promise", PROMISES, ids=[title for _, title, _ in PROMISES])
def test_every_promise_has_a_judge_and_tests(promise: tuple[str, str, str]) -> None:
    named = [name for name, _ in NAMED.findall(promise[2])]
    assert set(named) & {check.__name__ for check in CHECKS}
    assert any(name.startswith("test_") for name in named)


def test_every_judge_of_a_promise_stands_there() -> None:
    named = {name for name, _ in LINKS}
    assert {check.__name__ for check in CHECKS} - named == {"nothing_breaks_by_itself"}
