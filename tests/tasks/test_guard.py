"""When a child has to be killed, and for what."""

import os
import subprocess
import time

import pytest

from harken.settings import Settings
from harken.tasks.children import Child, Children
from harken.tasks.endings import Ending, Endings, Sentence, handed_back, undecided
from harken.tasks.guard import Guard, Limits, sentence_of
from harken.tasks.process import memory_mb
from harken.tasks.request import cause_of

LIMITS = Limits(time_s=3600, memory_mb=2048, kill_after_s=5)


def sentence(*, now=200.0, memory=100.0, limits=LIMITS, **child):
    of_the_child = {"job_id": "a", "pid": 7, "since": 100.0, "attempt": 1, "claimed_by": 101.0}
    return sentence_of(Child(**{**of_the_child, **child}), now=now, memory_mb=memory, limits=limits)


def test_a_child_within_its_limits_goes_on():
    assert sentence() is None


def test_a_child_over_its_memory_is_killed_and_told_how_much_it_took():
    assert sentence(memory=2048.0) is None
    assert sentence(memory=2049.0).cause == "it took 2049 MB of memory, 2048 MB are allowed"
    assert sentence(memory=2049.0).limit_s is None


def test_0_mb_are_no_limit():
    assert sentence(memory=1e6, limits=Limits(time_s=3600, memory_mb=0, kill_after_s=5)) is None


def test_a_child_is_killed_at_the_hard_limit_even_before_its_claim_is_known():
    assert sentence(now=3699.9, attempt=None, claimed_by=None) is None
    assert sentence(now=3700.0, attempt=None, claimed_by=None).limit_s == 3600


def test_a_run_timeout_is_counted_from_the_claim_and_leaves_time_to_stop():
    assert sentence(now=165.9, run_timeout_s=60.0) is None
    assert sentence(now=166.0, run_timeout_s=60.0).limit_s == 60.0


def test_a_job_that_is_killed_at_its_limit_after_a_cancel_is_cancelled():
    killed = sentence(now=3700.0, stop_by=3704.0)
    assert (killed.limit_s, killed.cause) == (None, "it did not stop when it was asked to")


@pytest.mark.parametrize(("now", "killed"), [(149.9, False), (150.0, True)])
def test_a_child_that_was_asked_to_stop_is_killed_when_its_time_is_over(now, killed):
    assert (sentence(now=now, stop_by=150.0) is not None) == killed


def test_what_is_promised_of_a_cancel_leaves_time_for_the_kill():
    assert Limits.of(Settings()).kill_after_s <= 6


def test_memory_is_that_of_the_process_without_the_files_it_reads():
    before = memory_mb(os.getpid())
    held = bytearray(100_000_000)
    held[:: os.sysconf("SC_PAGE_SIZE")] = b"x" * len(held[:: os.sysconf("SC_PAGE_SIZE")])
    assert 90 < memory_mb(os.getpid()) - before < 150
    del held
    assert memory_mb(2**22 + 1) == 0


@pytest.mark.parametrize(
    ("cause", "stopping", "back"),
    [
        ("SIGTERM", True, True),
        ("exit code 15", True, True),
        ("exitcode 15", True, True),
        ("SIGTERM", False, False),
        ("SIGKILL", True, False),
        ("exit code 155", True, False),
    ],
)
def test_a_sigterm_is_a_crash_unless_the_worker_stops(cause, stopping, back):
    assert handed_back(Sentence(cause=cause), stopping=stopping) == back


def test_a_sigterm_is_not_called_a_crash_before_the_worker_could_tell_that_it_stops():
    def waits(cause, *, stopping, after_s):
        ending = Ending(job_id="a", pid=7, gone_at=100.0, sentence=Sentence(cause=cause))
        return undecided(ending, stopping=stopping, monotonic=100.0 + after_s)

    assert waits("SIGTERM", stopping=False, after_s=0.9)
    assert not waits("SIGTERM", stopping=False, after_s=1.0)
    assert not waits("SIGTERM", stopping=True, after_s=0.0)
    assert not waits("SIGKILL", stopping=False, after_s=0.0)


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ("Worker exited prematurely: signal 11 (SIGSEGV) Job: 7.", "SIGSEGV"),
        ("Worker exited prematurely: exitcode 155 Job: 7.", "exitcode 155"),
        ("", "RuntimeError"),
    ],
)
def test_what_the_pool_says_of_a_death_is_told_in_short(said, cause):
    assert cause_of(RuntimeError(said)) == cause


def guarded(pid):
    """A guard over one child that is on a job, after its first look; and the endings it has told."""
    endings = Endings()
    children = Children(endings)
    children.started("delivery", Child(job_id="a", pid=pid, since=time.monotonic()))
    guard = Guard(children, Limits(time_s=0, memory_mb=0, kill_after_s=0))
    guard.look()
    return guard, endings


def test_a_child_over_its_time_is_killed_and_then_its_end_is_told():
    process = subprocess.Popen(["sleep", "100"])
    guard, endings = guarded(process.pid)
    assert process.wait(10) == -9
    assert len(endings) == 0
    guard.look()
    assert endings.first().sentence.limit_s == 0


def test_of_a_child_that_the_pool_collected_the_pool_has_a_moment_to_say_how_it_died():
    process = subprocess.Popen(["true"])
    process.wait(10)
    guard, endings = guarded(process.pid)
    assert len(endings) == 0
    guard.look()
    assert endings.first().sentence.cause == "collected already"


def test_a_pool_without_processes_is_let_be():
    """The job runs in the main process itself: there is nothing to kill."""
    _, endings = guarded(os.getpid())
    assert len(endings) == 0
