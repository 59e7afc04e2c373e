import pytest

from harken.jobs.queueing import leadership


@pytest.fixture
def lead(jobs):
    """A process asks for the lead."""

    def ask(holder, role="housekeeping"):
        return jobs.write(lambda c: leadership.lead(c, role, holder=holder, now=jobs.now))

    return ask


def test_one_process_leads_at_a_time(lead):
    assert lead("one")
    assert not lead("two")
    assert lead("one")


def test_of_many_that_ask_at_once_one_leads(jobs, lead):
    answers = jobs.at_once(*[lambda n=n: lead(f"process {n}") for n in range(8)])
    assert answers.count(True) == 1


def test_another_process_takes_over_when_the_term_has_ended(jobs, lead):
    lead("one")
    jobs.advance(seconds=1.999)
    assert not lead("two")
    jobs.advance(seconds=0.001)
    assert lead("two")
    assert not lead("one")


def test_who_asks_again_prolongs_its_term(jobs, lead):
    lead("one")
    jobs.advance(seconds=1.5)
    lead("one")
    jobs.advance(seconds=1.5)
    assert not lead("two")


def test_who_resigns_is_followed_at_once(jobs, lead):
    lead("one")
    jobs.write(lambda c: leadership.resign(c, "housekeeping", holder="one"))
    assert lead("two")


def test_nobody_resigns_for_another_one(jobs, lead):
    lead("one")
    jobs.write(lambda c: leadership.resign(c, "housekeeping", holder="two"))
    assert not lead("two")


def test_roles_are_led_apart(lead):
    assert lead("one", "housekeeping")
    assert lead("two", "another")
