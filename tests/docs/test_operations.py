"""What the page on operations says to look for and to do is what there is."""

import re
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from redis import Redis

from harken.client import ProgressTick
from harken.jobs.job import ErrorKind
from tests.conftest import eventually
from tests.docs.examples import REPOSITORY
from tests.system.conftest import SUCCEEDED, System, harken_up

PAGE = (REPOSITORY / "docs" / "operations.md").read_text()
SOURCES = "".join(
    path.read_text()
    for folder in ("server", "tasks")
    for path in sorted((REPOSITORY / folder).rglob("*.py"))
)
# What stands in a line for what differs each time.
VARYING = re.compile(
    r"\b\d+ |…|3f9c2a7d1b04|/harken\.v1\.JobService/GetJob.*|1 starts|(?<=feature )stems"
)


def log_lines() -> list[str]:
    """The lines that the page explains."""
    table = PAGE.partition("| line | in the log of | means |")[2].partition("\n\n")[0]
    return re.findall(r"^\| `(.+?)`", table, re.MULTILINE)


@pytest.mark.parametrize("line", log_lines())
def test_a_line_to_look_for_is_one_that_is_logged(line: str) -> None:
    parts = [part.strip() for part in VARYING.split(line) if part.strip()]
    literals = SOURCES.replace(
        "%s housekeeping", "leading housekeeping another process leads housekeeping"
    )
    assert parts
    for part in parts:
        assert part in literals


def test_every_kind_of_failure_has_its_line() -> None:
    assert set(re.findall(r"^\| failed with `(\w+)`", PAGE, re.MULTILINE)) == set(ErrorKind)


@pytest.fixture
def one_slot(media: Path, tmp_path: Path) -> Iterator[System]:
    """A system that works on one job at a time."""
    with harken_up(tmp_path / "data", media, HARKEN_CONCURRENCY="1") as running:
        yield running


def private_redis(system: System) -> str:
    """The URL of the system's own Redis."""
    parts = psutil.Process(system.process.pid).children(recursive=True)
    (title,) = [part.cmdline()[0] for part in parts if "redis-server" in part.cmdline()[0]]
    return f"unix://{title.partition('unixsocket:')[2]}"


def test_what_an_old_redis_does_not_know_is_published_again(one_slot: System) -> None:
    """As the page says of a restore: nothing has to be done to Redis."""
    running = one_slot.submit("1-hour.wav")
    updates = one_slot.client.watch(running.job_id)
    next(update for update in updates if isinstance(update, ProgressTick))
    with Redis.from_url(private_redis(one_slot)) as redis:
        waiting = one_slot.submit("piece.mp3", priority=0)
        messages = eventually(lambda: redis.keys("audio_processing*"))
        redis.delete(*messages)

    one_slot.follow(waiting.job_id)

    assert one_slot.get(waiting.job_id).state == SUCCEEDED
    assert "the broker has lost" in one_slot.log("server")
