"""Who is on what, and what is made of what the database says of it."""

import subprocess
from datetime import timedelta

import pytest

from harken.jobs.leases import Standing
from harken.jobs.state import JobState
from harken.tasks.children import Child, Children, seen
from harken.tasks.endings import Endings, Sentence
from harken.tasks.process import death_of
from tests.conftest import eventually

WORKER = "one@host"
CHILD = Child(job_id="a", pid=7, since=100.0)


def standing(**fields):
    of_the_child = {
        "job_id": "a",
        "attempt": 1,
        "state": JobState.RUNNING,
        "worker": WORKER,
        "pid": 7,
        "cancelled_for": None,
        "run_timeout": None,
    }
    return Standing(**{**of_the_child, **fields})


def after(*standings, child=CHILD, now=110.0):
    for said in standings:
        child = seen(child, said, worker=WORKER, kill_after_s=5, now=now)
    return child


def test_a_childs_attempt_is_known_once_the_database_shows_it_on_the_job():
    child = after(standing(attempt=3, run_timeout=timedelta(seconds=60)))
    assert (child.attempt, child.claimed_by, child.run_timeout_s) == (3, 110.0, 60.0)
    assert child.stop_by is None


def test_a_cancel_gives_the_child_time_from_when_it_was_asked_for():
    cancelled = standing(state=JobState.CANCELLING, cancelled_for=timedelta(seconds=2))
    assert after(cancelled).stop_by == 110.0 - 2 + 5


def test_the_time_to_stop_does_not_begin_anew_with_each_look():
    cancelled = standing(state=JobState.CANCELLING, cancelled_for=timedelta(seconds=2))
    later = standing(state=JobState.CANCELLING, cancelled_for=timedelta(seconds=3))
    assert after(later, child=after(cancelled), now=111.0).stop_by == 113.0


@pytest.mark.parametrize(
    "taken",
    [
        {"state": JobState.QUEUED, "worker": None, "pid": None},
        {"attempt": 2, "worker": "other@host"},
        {"attempt": 2, "pid": 8},
        {"attempt": 2, "state": JobState.SUCCEEDED},
    ],
    ids=["put back", "at another worker", "at another child", "done by another"],
)
def test_a_child_whose_job_went_to_another_attempt_has_to_stop(taken):
    assert after(standing(), standing(**taken)).stop_by == 115.0


@pytest.mark.parametrize(
    "untouched",
    [
        {"state": JobState.QUEUED, "worker": None, "pid": None, "attempt": 0},
        {"state": JobState.SUCCEEDED},
        {"state": JobState.CANCELLED, "attempt": 0},
    ],
    ids=["it has not claimed yet", "it has just ended the job", "cancelled before the claim"],
)
def test_a_child_that_is_about_to_begin_or_to_end_is_left_alone(untouched):
    assert after(standing(**untouched)).stop_by is None


def test_a_child_that_has_ended_its_job_is_left_alone():
    assert after(standing(), standing(state=JobState.FAILED)).stop_by is None


def test_a_child_on_a_job_that_another_one_holds_is_given_time_to_find_out():
    """A duplicate delivery, or a worker that was frozen before it knew the child's attempt."""
    assert after(standing(attempt=2, worker="other@host", pid=9)).stop_by == 115.0


@pytest.fixture
def sleeper():
    """A real process, which the test's own is the parent of."""
    process = subprocess.Popen(["sleep", "100"])
    yield process
    process.kill()
    process.wait()


def make():
    endings = Endings()
    return Children(endings), endings


def test_a_killed_childs_ending_has_the_reason_of_the_kill(sleeper):
    children, endings = make()
    children.started("delivery", Child(job_id="a", pid=sleeper.pid, since=0.0))
    assert children.kill("delivery", Sentence(cause="too slow", limit_s=3))
    assert not children.kill("delivery", Sentence(cause="another reason"))
    assert eventually(lambda: death_of(sleeper.pid)) == "SIGKILL"
    children.lost("delivery", "SIGKILL")
    assert endings.first().sentence == Sentence(cause="too slow", limit_s=3)


def test_a_death_is_told_once_whoever_notices_it():
    children, endings = make()
    children.started("delivery", CHILD)
    children.lost("delivery", "SIGSEGV")
    children.lost("delivery", "exit code 1")
    assert len(endings) == 1
    assert endings.first().sentence.cause == "SIGSEGV"
    assert endings.news.is_set()


def test_a_child_that_is_done_is_neither_killed_nor_lost(sleeper):
    """It may be on its next job by now."""
    children, endings = make()
    children.started("delivery", Child(job_id="a", pid=sleeper.pid, since=0.0))
    children.ended("delivery")
    children.started("next", Child(job_id="b", pid=sleeper.pid, since=1.0))
    assert not children.kill("delivery", Sentence(cause="too slow"))
    children.lost("delivery", "SIGKILL")
    assert len(endings) == 0
    assert death_of(sleeper.pid) is None


def test_looking_at_a_dead_process_leaves_it_for_its_parent_to_collect(sleeper):
    sleeper.terminate()
    assert eventually(lambda: death_of(sleeper.pid)) == "SIGTERM"
    assert death_of(sleeper.pid) == "SIGTERM"
    assert sleeper.wait() == -15
    assert death_of(sleeper.pid) == "collected already"


def test_an_exit_code_is_told(python):
    process = subprocess.Popen([python, "-c", "raise SystemExit(7)"])
    assert eventually(lambda: death_of(process.pid)) == "exit code 7"
    process.wait()
