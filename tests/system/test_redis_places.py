"""harken with a Redis that is reached by TLS alone, and with one that Sentinels watch."""

import subprocess
from pathlib import Path

import pytest

from tests.redis.encrypted import encrypted
from tests.redis.watched import PASSWORD, SENTINEL_PASSWORD, watched
from tests.system.conftest import HARKEN, SUCCEEDED, System, clean_environment, harken_up


def ticks_of(system: System, job_id: str) -> int:
    """How many times a job's progress was told, once it has ended well."""
    messages = system.follow(job_id)
    assert system.get(job_id).state == SUCCEEDED
    return sum(event.HasField("progress") for m in messages for event in m.events.events)


def logs_of(system: System) -> str:
    """What all parts have logged."""
    return "".join(system.log(part) for part in ("server", "worker", "maintenance", "beat"))


def test_a_system_runs_over_tls_with_a_certificate_of_its_own(
    media: Path, tmp_path: Path, redis: str
) -> None:
    with (
        encrypted(redis, tmp_path) as behind_tls,
        harken_up(tmp_path / "data", media, HARKEN_BROKER_URL=behind_tls.url()) as system,
    ):
        job = system.submit("20-minutes.wav")

        assert ticks_of(system, job.job_id)
        asked = subprocess.run(
            [*HARKEN, "--server", system.address, "workers", "--deep"],
            capture_output=True,
            text=True,
            check=True,
            env=clean_environment(),
        )
        assert "online" in asked.stdout
        logs = logs_of(system)
        assert "insecure SSL" not in logs
        assert "is gone" not in logs


def test_jobs_go_on_when_the_primary_dies_and_a_sentinel_names_another(
    media: Path, tmp_path: Path
) -> None:
    with (
        watched(tmp_path) as redis,
        harken_up(tmp_path / "data", media, HARKEN_BROKER_URL=redis.url) as system,
    ):
        running = system.submit("1-hour.wav")
        waiting = [system.submit("piece.flac") for _ in range(5)]
        system.until_running(running.job_id)

        redis.fail_over()

        submitted_after = system.submit("20-minutes.wav")
        assert ticks_of(system, submitted_after.job_id)
        for job in (running, *waiting):
            assert ticks_of(system, job.job_id) is not None
        assert {system.get(job.job_id).attempt for job in (running, *waiting)} == {1}
        logs = logs_of(system)
        assert PASSWORD not in logs
        assert SENTINEL_PASSWORD not in logs


@pytest.mark.parametrize("command", ["serve", "worker", "beat", "up"])
def test_a_redis_cluster_is_refused_at_once_with_what_to_do(command: str, tmp_path: Path) -> None:
    data = ["--data-dir", str(tmp_path)] if command == "up" else []
    environment = clean_environment(HARKEN_BROKER_URL="rediscluster://:geheim@127.0.0.1:7000")
    refused = subprocess.run(
        [*HARKEN, command, *data], capture_output=True, text=True, env=environment, timeout=60
    )

    assert refused.returncode == (1 if command == "beat" else 2)
    assert "HARKEN_BROKER_URL" in refused.stderr
    assert "Redis Cluster cannot carry tasks" in refused.stderr
    assert "sentinel://" in refused.stderr
    assert "geheim" not in refused.stderr + refused.stdout
