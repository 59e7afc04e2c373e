import pytest

from harken.jobs.queueing.window import LARGEST, WITHOUT_WORKERS, pace, window


def test_idle_workers_get_a_message_for_each_slot_and_one_to_follow():
    assert window(slots=4, free=4, per_second=0) == 8


def test_with_all_slots_busy_one_message_for_each_slot_waits():
    assert window(slots=4, free=0, per_second=0) == 4


def test_fast_jobs_need_more_ahead():
    """A thousand jobs a second use up 500 in the half second that the relay may be away."""
    assert window(slots=4, free=0, per_second=1000) == 504


def test_a_broker_never_holds_ten_thousand_messages_of_a_level():
    assert window(slots=50_000, free=50_000, per_second=1e6) == LARGEST < 10_000


def test_where_no_worker_is_known_a_few_messages_await_the_first():
    assert window(slots=0, free=0, per_second=1000) == WITHOUT_WORKERS


@pytest.mark.parametrize("elapsed_s", [1.0, 5.0])
def test_after_a_second_the_pace_is_what_was_started_in_it(elapsed_s):
    assert pace(3.0, started=100, elapsed_s=elapsed_s) == 100 / elapsed_s


def test_a_short_look_changes_the_pace_a_little():
    assert pace(0.0, started=10, elapsed_s=0.1) == pytest.approx(10)
    assert pace(100.0, started=10, elapsed_s=0.1) == pytest.approx(100)


def test_no_time_gone_leaves_the_pace():
    assert pace(7.0, started=3, elapsed_s=0.0) == 7.0
