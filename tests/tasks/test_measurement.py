"""What children measure reaches their main process, whatever becomes of them."""

import subprocess
import threading

import pytest

from harken.tasks import measurement
from harken.tasks.children import Child, Children
from harken.tasks.endings import Endings
from harken.tasks.measurement import (
    CACHED_RESULT,
    CLAIM_LOST,
    LONGEST_LINE_BYTES,
    Measurement,
    Pipe,
    Stopwatch,
)
from harken.tasks.metrics import WorkerMetrics

MEASURED = Measurement(
    queue="audio_processing",
    outcome="SUCCEEDED",
    queued_s=0.25,
    run_s=2.0,
    cpu_s=1.5,
    audio_s=60.0,
    stages={"decode": 1.0, "summary": 0.5},
)


def received(pipe):
    """All that was sent so far."""
    found = []
    pipe.close()
    pipe.receive(found.append)
    return found


def test_a_measurement_arrives_as_it_was_sent():
    pipe = Pipe()
    pipe.send(MEASURED)
    pipe.send(CLAIM_LOST)
    assert received(pipe) == [MEASURED, CLAIM_LOST]


def test_a_full_pipe_holds_nobody_up_and_keeps_whole_lines():
    pipe = Pipe()
    sender = threading.Thread(target=lambda: [pipe.send(MEASURED) for _ in range(2_000)])
    sender.start()
    sender.join(20)
    assert not sender.is_alive()
    found = []
    reader = threading.Thread(target=pipe.receive, args=(found.append,))
    reader.start()
    pipe.close()
    reader.join(20)
    assert 0 < len(found) < 2_000
    assert set(map(str, found)) == {str(MEASURED)}


def test_a_line_that_others_could_break_into_is_not_written():
    pipe = Pipe()
    pipe.send(Measurement(queue="q" * LONGEST_LINE_BYTES, outcome="SUCCEEDED"))
    pipe.send(MEASURED)
    assert received(pipe) == [MEASURED]


PROGRAM = """
import os, signal, threading, time
from harken.tasks.measurement import CLAIM_LOST, Pipe

pipe, found = Pipe(), []
def count(measurement):
    found.append(measurement)
threading.Thread(target=pipe.receive, args=(count,), daemon=True).start()
children = []
for _ in range(4):
    child = os.fork()
    if child == 0:
        while True:
            pipe.send(CLAIM_LOST)
    children.append(child)
deadline = time.monotonic() + 20
while len(found) < 1000 and time.monotonic() < deadline:
    time.sleep(0.001)
for child in children:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
last = os.fork()
if last == 0:
    while True:
        pipe.send(CLAIM_LOST)
seen = len(found)
while len(found) < seen + 1000 and time.monotonic() < deadline:
    time.sleep(0.001)
os.kill(last, signal.SIGKILL)
os.waitpid(last, 0)
print(len(found) >= seen + 1000, {str(measurement) for measurement in found} == {str(CLAIM_LOST)})
"""


def test_children_that_are_killed_while_they_send_spoil_nothing_for_the_next(python):
    shown = subprocess.run(
        [python, "-W", "ignore", "-c", PROGRAM],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    assert shown == "True True\n"


def test_the_stages_times_add_up_to_the_time_between_start_and_stop(monkeypatch):
    now = 100.0
    monkeypatch.setattr(measurement.time, "time", lambda: now)
    heard = []
    watch = Stopwatch(lambda *stage: heard.append(stage))
    for stage, seconds in (("decode", 2.0), ("decode", 1.0), ("rhythm", 4.0)):
        watch.enter(stage)
        now += seconds
    watch.stop()
    assert watch.stages == {"decode": 3.0, "rhythm": 4.0}
    assert heard == [("decode", 100.0, 103.0), ("rhythm", 103.0, 107.0)]


@pytest.fixture
def metrics():
    """The metrics of a worker without an endpoint."""
    return WorkerMetrics(Children(Endings()))


def value(metrics, name, **labels):
    return metrics.registry.get_sample_value(name, labels)


def test_what_was_measured_is_counted(metrics):
    metrics.take(MEASURED)
    metrics.take(MEASURED)
    metrics.take(CLAIM_LOST)
    metrics.take(CACHED_RESULT)

    assert value(metrics, "harken_audio_analysed_seconds_total") == 120.0
    assert value(metrics, "harken_analysis_cpu_seconds_total") == 3.0
    assert value(metrics, "harken_stage_seconds_sum", stage="decode") == 2.0
    assert value(metrics, "harken_job_queued_seconds_sum", queue="audio_processing") == 0.5
    ended = {"queue": "audio_processing", "outcome": "SUCCEEDED"}
    assert value(metrics, "harken_attempt_seconds_count", **ended) == 2.0
    assert value(metrics, "harken_claims_lost_total") == 1.0
    assert value(metrics, "harken_cached_results_total") == 1.0


def test_the_busy_slots_are_the_children_at_work():
    children = Children(Endings())
    metrics = WorkerMetrics(children)
    children.started("delivery", Child(job_id="a", pid=1, since=0.0))
    assert value(metrics, "harken_worker_busy_slots") == 1.0
    children.ended("delivery")
    assert value(metrics, "harken_worker_busy_slots") == 0.0
