"""The page on security names tests that exist, in every row of its table."""

import re

import pytest

from tests.docs.examples import REPOSITORY

PAGE = REPOSITORY / "docs" / "security.md"
NAMED = re.compile(r"\[`(test_\w+)`\]\((\S+\.py)\)")
ROWS = re.findall(r"^\| (?!threat|---)(.+) \|$", PAGE.read_text(), re.MULTILINE)


@pytest.mark.parametrize(("name", "file"), NAMED.findall(PAGE.read_text()))
def test_what_is_named_is_there(name: str, file: str) -> None:
    code = (PAGE.parent / file).read_text()
    assert re.search(rf"^(async )?def {name}\(", code, re.MULTILINE)


@pytest.mark.parametrize("row", ROWS, ids=[row.partition(" |")[0] for row in ROWS])
def test_every_threat_has_a_test(row: str) -> None:
    assert NAMED.search(row)
