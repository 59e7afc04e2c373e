import threading

import pytest

from harken.tasks import progress
from harken.tasks.progress import Cancelled, OutOfTime, ProgressReporter, Tick
from tests.conftest import eventually


class _Backend:
    """A result backend that notes what it gets, and can be slow or gone."""

    def __init__(self):
        self.got: list[tuple[Tick, int]] = []
        self.open = threading.Event()
        self.open.set()
        self.reached = threading.Event()
        self.failures = 0

    def publish(self, tick, seq):
        self.reached.set()
        self.open.wait(10)
        if self.failures:
            self.failures -= 1
            raise ConnectionError("no Redis")
        self.got.append((tick, seq))

    @property
    def fractions(self):
        return [tick.fraction for tick, _ in self.got]


@pytest.fixture
def backend():
    made = _Backend()
    yield made
    made.open.set()


def never():
    return False


def test_what_the_work_reports_is_published(backend):
    with ProgressReporter(backend.publish, never) as reporter:
        reporter.report("decode", 0.25, "1 of 4 s")
        eventually(lambda: backend.got)
    assert backend.got == [(Tick("decode", 0.25, "1 of 4 s"), 1)]


def test_a_slow_backend_gets_the_newest_tick_only(backend):
    backend.open.clear()
    with ProgressReporter(backend.publish, never) as reporter:
        reporter.report("decode", 0.1, "")
        assert backend.reached.wait(10)
        for percent in range(11, 91):
            reporter.report("decode", percent / 100, "")
        backend.open.set()
    assert backend.fractions == [0.1, 0.9]
    assert [seq for _, seq in backend.got] == [1, 2]


def test_a_fraction_never_goes_back(backend):
    with ProgressReporter(backend.publish, never) as reporter:
        for number, fraction in enumerate([0.5, 0.2, float("nan"), -1.0, 0.6], start=1):
            reporter.report("decode", fraction, str(number))
            eventually(lambda n=number: len(backend.got) == n)
    assert backend.fractions == [0.5, 0.5, 0.5, 0.5, 0.6]


def test_a_fraction_is_never_more_than_the_whole(backend):
    with ProgressReporter(backend.publish, never) as reporter:
        reporter.report("decode", 1.5, "")
    assert backend.fractions == [1.0]


def test_the_last_tick_is_published_before_the_work_counts_as_done(backend):
    with ProgressReporter(backend.publish, never) as reporter:
        reporter.report("done", 1.0, "")
    assert backend.fractions[-1] == 1.0


def test_nothing_is_published_twice(backend):
    with ProgressReporter(backend.publish, never) as reporter:
        reporter.report("decode", 0.5, "")
        eventually(lambda: backend.got)
    assert len(backend.got) == 1


def test_without_a_report_nothing_is_published_and_no_thread_begins(backend):
    before = threading.active_count()
    with ProgressReporter(backend.publish, never):
        assert threading.active_count() == before
    assert backend.got == []


def test_the_work_is_stopped_at_its_next_report_once_cancel_is_asked_for(backend):
    asked = threading.Event()
    with ProgressReporter(backend.publish, asked.is_set) as reporter:
        reporter.report("decode", 0.1, "")
        asked.set()
        with pytest.raises(Cancelled):
            eventually(lambda: reporter.report("decode", 0.5, ""))


def test_the_work_may_ask_whether_to_stop_without_being_any_further(backend):
    asked = threading.Event()
    with ProgressReporter(backend.publish, asked.is_set) as reporter:
        reporter.report("decode", 0.1, "")
        reporter.check()
        asked.set()
        with pytest.raises(Cancelled):
            eventually(reporter.check)
    with pytest.raises(OutOfTime):
        ProgressReporter(backend.publish, never, limit_s=0).check()
    assert backend.fractions == [0.1]


def test_the_work_is_stopped_at_its_next_report_once_its_time_is_over(backend):
    with ProgressReporter(backend.publish, never, 0.05) as reporter, pytest.raises(OutOfTime):
        eventually(lambda: reporter.report("decode", 0.1, ""))


def test_a_backend_that_is_gone_does_not_disturb_the_work(backend):
    backend.failures = 1
    with ProgressReporter(backend.publish, never) as reporter:
        reporter.report("decode", 0.1, "")
        eventually(lambda: backend.failures == 0)
        reporter.report("decode", 0.2, "")
    assert backend.fractions == [0.2]


def test_a_database_that_is_gone_does_not_disturb_the_work(backend, monkeypatch):
    monkeypatch.setattr(progress, "CHECK_EVERY_S", 0.01)
    asked = []

    def gone():
        asked.append(None)
        raise OSError("no database")

    with ProgressReporter(backend.publish, gone) as reporter:
        reporter.report("decode", 0.1, "")
        eventually(lambda: len(asked) > 3)
        reporter.report("decode", 0.2, "")
    assert backend.fractions == [0.1, 0.2]


def test_a_backend_that_hangs_does_not_hold_up_the_end_of_the_work(backend, monkeypatch):
    monkeypatch.setattr(progress, "CLOSE_WITHIN_S", 0.05)
    backend.open.clear()
    with ProgressReporter(backend.publish, never) as reporter:
        reporter.report("decode", 0.1, "")
        assert backend.reached.wait(10)
    assert backend.got == []


def test_an_error_of_the_work_comes_through(backend):
    def work():
        with ProgressReporter(backend.publish, never) as reporter:
            reporter.report("decode", 0.1, "")
            raise LookupError

    with pytest.raises(LookupError):
        work()
    assert backend.fractions == [0.1]
