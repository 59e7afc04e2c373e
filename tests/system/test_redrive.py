"""Retries on the live system, by the command line: a job that was cancelled is done after all."""

import json
import subprocess
from pathlib import Path

from harken.client import JobState
from tests.system.conftest import HARKEN, System, clean_environment


def cli(system: System, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Runs `harken` against the system."""
    return subprocess.run(
        [*HARKEN, *arguments],
        env=clean_environment(HARKEN_SERVER=system.address),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_cancelled_jobs_of_a_batch_are_found_retried_and_done(system: System, media: Path) -> None:
    labels = {"test": "redrive"}
    batch = system.client.submit_batch(
        ["3-hours.wav", "3-hours.wav"], features=["media"], priority=0, labels=labels
    )
    batch.cancel()
    batch.wait(60)
    options = ["retry", "--cancelled", "--batch", batch.batch_id, "--label", "test=redrive"]

    dry, done, again = (
        cli(system, *options, "--dry-run"),
        cli(system, *options, "--json"),
        cli(system, *options),
    )

    assert dry.stdout.count("would be retried") == 2
    outcomes = [json.loads(line) for line in done.stdout.splitlines()]
    old = {job.job_id for job in system.client.list_jobs(batch=batch.batch_id)}
    assert {outcome["job_id"] for outcome in outcomes} == old
    assert again.stderr == "0 jobs retried.\n"
    for outcome in outcomes:
        job = system.client.wait(outcome["new_job_id"], timeout=60)
        assert (job.state, job.retry_of, job.labels, job.priority) == (
            JobState.SUCCEEDED,
            outcome["job_id"],
            labels,
            0,
        )
    assert system.client.get_batch(batch.batch_id).cancelled == 2


def test_a_failed_job_is_retried_by_its_id_and_the_record_says_so(system: System) -> None:
    failed = system.client.submit("broken.wav", features=["media"])
    failed.wait(60)

    retried = cli(system, "retry", failed.job_id)
    recorded = cli(system, "audit", "--limit", "1", "--json")

    new_id = retried.stdout.split()[-1]
    assert system.client.wait(new_id, timeout=60).retry_of == failed.job_id
    action = json.loads(recorded.stdout)
    assert (action["kind"], action["done_count"]) == ("KIND_RETRY_JOBS", 1)
    shown = cli(system, "audit", action["action_id"])
    assert shown.stdout.splitlines()[-1].split() == [failed.job_id, new_id]
    listed = {job.job_id for job in system.client.list_jobs(dead_letters_only=True)}
    assert not {failed.job_id, new_id} & listed
