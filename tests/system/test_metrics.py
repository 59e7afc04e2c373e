"""The metrics of a whole system, as `harken up` exposes them: a port for the server, the next ones for its workers."""

import os
import re
import signal
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import eventually
from tests.docs.examples import REPOSITORY
from tests.system.conftest import SUCCEEDED, System, harken_up
from tests.system.test_two_servers import free_port

PAGE = REPOSITORY / "docs" / "observability.md"
ROW = re.compile(r"^\| `(harken_\w+)` \| (\w+) \|([^|]*)\| .+ \|$", re.MULTILINE)
LABELS = {"le"}  # the buckets' own


@dataclass(frozen=True)
class Measured:
    """A system whose metrics are exposed."""

    system: System
    port: int

    def families(self, place: int) -> list[Metric]:
        """What a part says: the server at place 0, the worker at 1, the one for maintenance at 2."""
        url = f"http://127.0.0.1:{self.port + place}/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return list(text_string_to_metric_families(answer.read().decode()))

    def value(self, place: int, name: str, **labels: str) -> float:
        """The value of a series; 0 where there is none."""
        for family in self.families(place):
            for sample in family.samples:
                if (sample.name, sample.labels) == (name, labels):
                    return sample.value
        return 0.0


@pytest.fixture(scope="module")
def measured(media: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Measured]:
    """A system with one slot and a job that is done."""
    port = free_port()
    data = tmp_path_factory.mktemp("metrics") / "data"
    given = {"HARKEN_METRICS_LISTEN": str(port), "HARKEN_CONCURRENCY": "1"}
    with harken_up(data, media, **given) as running:
        running.client.submit("piece.mp3").result(60)
        yield Measured(running, port)


def test_a_job_shows_in_what_the_worker_has_measured(measured: Measured) -> None:
    ended = {"queue": "audio_processing", "outcome": "SUCCEEDED"}
    eventually(lambda: measured.value(1, "harken_attempt_seconds_count", **ended))
    assert measured.value(1, "harken_job_queued_seconds_count", queue="audio_processing") >= 1
    for stage in ("decode", "timbre", "rhythm", "summary"):
        assert measured.value(1, "harken_stage_seconds_count", stage=stage) >= 1
    audio_s = measured.value(1, "harken_audio_analysed_seconds_total")
    assert audio_s == pytest.approx(12, abs=0.5)
    assert 0 < measured.value(1, "harken_analysis_cpu_seconds_total") < 60
    assert measured.value(1, "harken_worker_slots") == 1


def test_the_maintenance_worker_has_a_port_of_its_own(measured: Measured) -> None:
    assert measured.value(2, "harken_worker_slots") == 1


def test_a_killed_child_is_counted_and_the_one_in_its_place_measures_too(
    measured: Measured,
) -> None:
    before = measured.value(1, "harken_audio_analysed_seconds_total")
    job = measured.system.submit("1-hour.wav")
    measured.system.until_running(job.job_id)
    assert measured.value(1, "harken_worker_busy_slots") == 1
    os.kill(child_of(measured.system), signal.SIGKILL)
    eventually(lambda: measured.value(1, "harken_processes_lost_total") == 1)

    measured.system.follow(job.job_id)

    assert measured.system.get(job.job_id).state == SUCCEEDED
    heard = lambda: measured.value(1, "harken_audio_analysed_seconds_total")  # noqa: E731 # a name for a question
    eventually(lambda: heard() > before + 3000)
    crashed = {"queue": "audio_processing", "reason": "crash"}
    eventually(lambda: measured.value(0, "harken_jobs_requeued_total", **crashed) == 1)


def child_of(system: System) -> int:
    """The process that works on a job: the child of the worker that has the only slot for jobs."""
    for part in psutil.Process(system.process.pid).children():
        if "--name=worker" in part.cmdline():
            (child,) = part.children()
            return child.pid
    raise AssertionError("there is no worker")


def documented() -> dict[str, tuple[str, set[str]]]:
    """Type and labels of each metric that the page lists."""
    rows = ROW.findall(PAGE.read_text())
    return {name: (type_, set(re.findall(r"`(\w+)`", labels))) for name, type_, labels in rows}


def test_what_is_exposed_is_what_the_page_lists(measured: Measured) -> None:
    """With its type and all its labels, and nothing beside it."""
    exposed: dict[str, tuple[str, set[str]]] = {}
    for family in (*measured.families(0), *measured.families(1)):
        if family.name.startswith("harken_"):
            name = family.name + ("_total" if family.type == "counter" else "")
            labels = {label for sample in family.samples for label in sample.labels}
            exposed[name] = (family.type, labels - LABELS)
    assert exposed == documented()
