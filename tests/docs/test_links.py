"""Links between the documents lead somewhere, and the picture is whole."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.docs.examples import FENCE, REPOSITORY, documents

LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def anchors(path: Path) -> set[str]:
    """The anchors that a page's headings make, as GitHub makes them."""
    headings = HEADING.findall(FENCE.sub("", path.read_text()))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_links_lead_to_what_is_there(path: Path) -> None:
    for link in LINK.findall(FENCE.sub("", path.read_text())):
        if link.startswith("https://"):
            continue
        target, _, anchor = link.partition("#")
        found = (path.parent / target).resolve() if target else path
        assert found.exists(), link
        if anchor:
            assert anchor in anchors(found), link


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    ahead = [REPOSITORY / "README.md"]
    while ahead:
        page = ahead.pop()
        reached.add(page)
        links = LINK.findall(page.read_text())
        targets = [(page.parent / link.partition("#")[0]).resolve() for link in links]
        ahead += [found for found in targets if found.suffix == ".md" and found not in reached]
    assert set(documents()) <= reached


def test_the_picture_shows_a_run_and_loads_nothing_from_elsewhere() -> None:
    picture = REPOSITORY / "docs" / "pictures" / "run.svg"
    root = ElementTree.fromstring(picture.read_text())
    text = " ".join("".join(root.itertext()).split())
    for words in ("make demo", "harken submit piece.flac --watch", "100%", "Tempo", "✓"):
        assert words in text
    assert "✗" not in text
    assert "url(http" not in picture.read_text().replace('"', "")
