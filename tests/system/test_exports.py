"""Exports as a user makes them: `harken export` and `harken owner` against a whole system."""

import json
import subprocess
import tarfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from harken.client import AsyncClient, JobKind
from tests.system.conftest import HARKEN, System, clean_environment


def harken(system: System, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line, against the system."""
    return subprocess.run(
        [*HARKEN, *arguments, "--server", system.address],
        capture_output=True,
        text=True,
        timeout=100,
        env=clean_environment(),
        check=False,
    )


@pytest.fixture
def batch_id(system: System) -> str:
    """A batch of two files, of which one can be analysed."""
    handle = system.client.submit_batch(["piece.flac", "broken.wav"], features=["media", "rhythm"])
    system.client.wait_batch(handle)
    return handle.batch_id


def test_the_results_of_a_batch_become_a_file(
    system: System, batch_id: str, tmp_path: Path
) -> None:
    file = tmp_path / "batch.parquet"
    done = harken(system, "export", batch_id, "-o", str(file))
    assert done.returncode == 0, done.stderr
    (row,) = pq.read_table(file).to_pylist()
    assert (row["batch_id"], row["media.codec"]) == (batch_id, "flac")
    assert row["rhythm.tempo_bpm"] > 0
    every = tmp_path / "all.jsonl"
    options = ["--format", "jsonl", "--state", "succeeded", "--state", "failed"]
    done = harken(system, "export", batch_id, *options, "-o", str(every))
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in every.read_text().splitlines()]
    assert sorted(row["state"] for row in rows) == ["FAILED", "SUCCEEDED"]


async def test_exports_of_both_clients_have_their_kind_and_one_artifact(
    system: System, batch_id: str
) -> None:
    handle = system.client.exports.submit(batch=batch_id, format="csv")
    async with AsyncClient(system.address) as client:
        other = await client.exports.submit(batch=batch_id, format="csv")
        ended = await other.wait()
    for job in (handle.wait(), ended):
        assert job.kind is JobKind.EXPORT
        assert [artifact.name for artifact in job.artifacts] == ["results.csv"]
    listed = list(system.client.list_jobs(kinds=JobKind.EXPORT))
    assert {handle.job_id, other.job_id} <= {job.job_id for job in listed}


def test_an_owners_archive_can_be_fetched(system: System, batch_id: str, tmp_path: Path) -> None:
    done = harken(system, "owner", "export", "local", "-o", str(tmp_path))
    assert done.returncode == 0, done.stderr
    with tarfile.open(tmp_path / "owner.tar.gz") as archive:
        names = archive.getnames()
    assert names[-1] == "manifest.json"
    assert any(name.startswith("rows/results-") for name in names)


def test_an_owner_is_erased_after_a_question(system: System, tmp_path: Path) -> None:
    asked = harken(system, "owner", "erase", "nobody@example.org", "-o", str(tmp_path))
    assert asked.returncode != 0
    done = harken(system, "owner", "erase", "nobody@example.org", "--yes", "-o", str(tmp_path))
    assert done.returncode == 0, done.stderr
    receipt = json.loads((tmp_path / "receipt.json").read_text())
    assert receipt["deleted_rows"] == {}
