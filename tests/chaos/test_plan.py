"""The plan of a run: the seed decides it, and every kind of fault gets its turn."""

from tests.chaos.faults import FAULTS, kinds
from tests.chaos.plan import plan

ALL = sorted(FAULTS)


def test_a_seed_has_one_plan() -> None:
    assert plan(7, 60, ALL) == plan(7, 60, ALL)
    assert plan(7, 60, ALL) != plan(8, 60, ALL)


def test_a_longer_run_begins_as_a_shorter_one() -> None:
    short = plan(7, 30, ALL)
    assert plan(7, 300, ALL)[: len(short)] == short


def test_every_kind_comes_before_one_comes_again() -> None:
    planned = plan(7, 3_000, ALL)
    assert sorted(each.kind for each in planned[: len(ALL)]) == ALL


def test_each_database_has_faults_of_its_own() -> None:
    assert set(kinds("sqlite")) ^ set(kinds("postgresql")) == {
        "lock-database",
        "cut-database",
        "hold-database",
    }
