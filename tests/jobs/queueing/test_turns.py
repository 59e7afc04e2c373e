from datetime import timedelta

from harken.jobs.queueing import turns

DAY = timedelta(days=1)


def take(jobs, holder, name="back-up"):
    return jobs.write(lambda c: turns.take_turn(c, name, every=DAY, holder=holder, now=jobs.now))


def test_a_turn_is_taken_once_in_its_period(jobs):
    assert [take(jobs, "a"), take(jobs, "b")] == [True, False]
    jobs.advance(hours=23, minutes=59)
    assert not take(jobs, "c")
    jobs.advance(minutes=1)
    assert [take(jobs, "d"), take(jobs, "e")] == [True, False]


def test_turns_of_other_names_are_others(jobs):
    assert [take(jobs, "a"), take(jobs, "a", "optimize")] == [True, True]


def test_one_of_many_that_ask_at_once_gets_the_turn(jobs):
    asking = [lambda holder=str(number): take(jobs, holder) for number in range(5)]
    assert sorted(jobs.at_once(*asking)) == [False] * 4 + [True]


def test_a_turn_that_is_given_back_can_be_taken_again(jobs):
    take(jobs, "a")
    jobs.write(lambda c: turns.give_back(c, "back-up", holder="b"))
    assert not take(jobs, "c")
    jobs.write(lambda c: turns.give_back(c, "back-up", holder="a"))
    assert take(jobs, "c")
