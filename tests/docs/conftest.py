"""A live system with the files that the documents speak of."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.piece import compose, write
from tests.system.conftest import System, harken_up


@pytest.fixture(scope="session")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the documents call /music."""
    folder = tmp_path_factory.mktemp("music")
    write(folder / "song.flac", compose(duration_s=12))
    (folder / "empty.wav").touch()
    return folder


@pytest.fixture(scope="session")
def live(music: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system that the examples run against; one job has failed there already."""
    with harken_up(tmp_path_factory.mktemp("docs") / "data", music) as running:
        running.client.submit(music / "empty.wav").wait(30)
        yield running
