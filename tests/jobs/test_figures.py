"""Counts of the transition log: every step once, whenever one looks."""

from collections import Counter

from harken.jobs import figures, log
from harken.jobs.figures import Step
from harken.jobs.job import ErrorKind
from harken.jobs.state import JobState

QUEUED, RUNNING, FAILED = JobState.QUEUED, JobState.RUNNING, JobState.FAILED


def step(before, after, kind=None):
    return Step(queue="audio_processing", before=before, after=after, kind=kind)


def where_the_log_is(jobs):
    """The position after which the test's own rows come: other tests' are deleted, and their numbers stay used."""
    return jobs.log(jobs.submit())[-1].position


def test_each_step_is_counted_with_the_kind_of_its_error(jobs):
    begin = where_the_log_is(jobs)
    jobs.submit()
    failed = jobs.claim(jobs.submit())
    jobs.fail(failed)

    steps, _ = jobs.read(lambda c: figures.steps_after(c, begin))

    assert steps == Counter(
        {
            step(None, QUEUED): 2,
            step(QUEUED, RUNNING): 1,
            step(RUNNING, FAILED, ErrorKind.INPUT): 1,
        }
    )


def test_looks_one_after_the_other_count_everything_once(jobs, monkeypatch):
    monkeypatch.setattr(figures, "CHUNK", 2)
    position, steps = where_the_log_is(jobs), Counter()
    for _ in range(5):
        jobs.submit()
    while position < jobs.read(log.head):
        found, position = jobs.read(lambda c, after=position: figures.steps_after(c, after))
        steps += found

    assert steps == Counter({step(None, QUEUED): 5})
    assert jobs.read(lambda c: figures.steps_after(c, position)) == (Counter(), position)
