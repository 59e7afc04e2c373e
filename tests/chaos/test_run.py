"""A short run on each database: real processes, traffic and faults by a seed, and no promise broken."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos import report
from tests.chaos.checks import judge
from tests.chaos.run import run
from tests.chaos.work import fill
from tests.conftest import new_postgresql_database

# Its faults on both databases: a Redis with an old snapshot, a worker that comes back after its lease, one that dies
# with a message in its hand.
SEED = int(os.environ.get("HARKEN_CHAOS_SEED", "13185"))
DURATION_S = 14.0
EVERY_S = 1.5


@pytest.fixture(scope="module")
def chaos_media(media: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A media root with poison in it."""
    folder = tmp_path_factory.mktemp("chaos")
    fill(folder, media)
    return folder


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database of each kind in turn, on a server that waits for the disk."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'harken.db'}"
        return
    with new_postgresql_database(request.getfixturevalue("postgresql")) as url:
        yield url


@pytest.mark.timeout(420)
def test_no_promise_is_broken_while_parts_die(
    empty_url: str, chaos_media: Path, tmp_path: Path
) -> None:
    logs = tmp_path / "chaos"
    logs.mkdir()
    history = asyncio.run(
        run(SEED, empty_url, chaos_media, logs, duration_s=DURATION_S, every_s=EVERY_S)
    )

    violations = judge(history)

    print(*report.lines(history, violations), sep="\n")
    database = history.setup.database
    if violations:
        print(f"history and logs: {report.kept(history, logs)}")
        print(f"again: {report.command(SEED, database, DURATION_S, EVERY_S)}")
    assert history.faults
    assert history.final
    assert violations == []
