"""Collections as a user looks at them: `harken stats` against a whole system."""

import json
from pathlib import Path

import pytest

from harken.client import AsyncClient, JobKind, RequestRefused
from tests.system.conftest import System
from tests.system.test_exports import harken

# One database is enough here: the same is read from both in tests/tasks/test_report.py.
pytestmark = pytest.mark.parametrize("system", ["sqlite"], indirect=True)


@pytest.fixture
def batch_id(system: System) -> str:
    """A batch of two files, of which one can be analysed."""
    handle = system.client.submit_batch(
        ["piece.flac", "broken.wav"], features=["media", "rhythm", "tonal", "loudness"]
    )
    system.client.wait_batch(handle)
    return handle.batch_id


def test_a_batch_is_summed_up_and_reported_on(
    system: System, batch_id: str, tmp_path: Path
) -> None:
    shown = harken(system, "stats", "--batch", batch_id)
    assert shown.returncode == 0, shown.stderr
    for words in ("2 analyses", "SUCCEEDED 1 (50 %)", "FAILED 1 (50 %)", "bpm", "LUFS", "flac"):
        assert words in shown.stdout
    file = tmp_path / "batch.html"
    options = ["--report", str(file), "--title", "One & two", "--json"]
    done = harken(system, "stats", "--batch", batch_id, *options)
    assert done.returncode == 0, done.stderr
    page = file.read_text()
    assert page.startswith("<!doctype html>")
    assert "<h1>One &amp; two</h1>" in page
    told = json.loads(done.stdout.splitlines()[-1])
    at_once = json.loads(harken(system, "stats", "--batch", batch_id, "--json").stdout)
    assert told == at_once
    assert told["tempo"]["count"] == "1"
    refused = harken(system, "stats", "--batch", "0197c0de-0000-7000-8000-000000000000")
    assert (refused.returncode, "no batch" in refused.stderr) == (4, True)


async def test_both_clients_have_the_same_statistics_and_reports_have_two_artifacts(
    system: System, batch_id: str
) -> None:
    found = system.client.collections.statistics(batch=batch_id)
    assert found.keys is not None
    assert (found.job_count, found.result_count, len(found.keys.shares)) == (2, 1, 24)
    async with AsyncClient(system.address) as client:
        assert await client.collections.statistics(batch=batch_id) == found
        ended = await (await client.collections.submit_report(batch=batch_id)).wait()
    assert ended.kind is JobKind.REPORT
    assert {one.name for one in ended.artifacts} == {"report.html", "statistics.json"}
    with pytest.raises(RequestRefused):
        system.client.collections.statistics(batch="0197c0de-0000-7000-8000-000000000000")
