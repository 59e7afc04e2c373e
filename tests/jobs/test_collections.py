"""What is counted of a collection is exact where it says so, and within its bound where it does not."""

import json
import math
from types import SimpleNamespace
from typing import get_args, get_type_hints

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harken.audio.result import AnalysisResult
from harken.jobs.collection import rows
from harken.jobs.collection.breakdown import LONGEST_NAME, MOST_NAMES, Breakdown
from harken.jobs.collection.distribution import Distribution
from harken.jobs.collection.extent import Extent, extent_of, has_more_than
from harken.jobs.collection.measures import ERRORS, MEASURES, PATHS, PROBLEMS
from harken.jobs.collection.rows import Collection
from harken.jobs.collection.scale import MOST_CELLS
from harken.jobs.collection.statistics import Statistics
from harken.jobs.queries import JobFilter
from harken.v1.collection_pb2 import CollectionStatistics
from tests.jobs.conftest import OWNER

SCALES = [pytest.param(one.scale, id=one.name) for one in MEASURES]
NOTHING = Extent(jobs=0, first_end_time=None, last_end_time=None)


def row(found=None, features=("media",), state="SUCCEEDED", **values):
    """A row as the database gives it."""
    found = found and json.dumps([found.get(path) for path in PATHS])
    error = {"error_kind": None, "error_reason": None, **values}
    return SimpleNamespace(state=state, features=json.dumps(features), found=found, **error)


@pytest.mark.parametrize("scale", SCALES)
def test_quartiles_are_within_half_a_step_of_the_exact_ones(scale):
    spread = np.random.default_rng(3).normal(size=5_001)
    middle = scale.edges[len(scale.edges) // 2]
    values = np.exp(spread / 2) * middle if scale.ratio else middle + 5 * spread
    distribution = Distribution(scale)
    for value in values:
        distribution.add(float(value), 2.0)
    found = distribution.to_dict()
    for name, share in (("lower_quartile", 0.25), ("median", 0.5), ("upper_quartile", 0.75)):
        exact = float(np.quantile(values, share, method="inverted_cdf"))
        bound = scale.step * (abs(exact) if scale.ratio else 1.0) / 2
        assert abs(found[name] - exact) <= bound * 1.01
    assert (found["minimum"], found["maximum"]) == (values.min(), values.max())
    assert found["mean"] == pytest.approx(values.mean())
    expected = np.histogram(values, [-np.inf, *scale.edges, np.inf])[0]
    assert [one["count"] for one in found["bins"]] == list(expected)
    assert [one["duration_s"] for one in found["bins"]] == list(2.0 * expected)


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True) | st.none() | st.text(), max_size=30)
)
def test_whatever_comes_is_counted_and_memory_is_bounded(values):
    for measure in MEASURES:
        distribution = Distribution(measure.scale)
        for value in values:
            distribution.add(value, 1.0)
        found = distribution.to_dict()
        numbers = [one for one in values if isinstance(one, float) and math.isfinite(one)]
        assert (found["count"], found["none_count"]) == (len(numbers), len(values) - len(numbers))
        if numbers:
            assert found["minimum"] <= found["lower_quartile"] <= found["median"]
            assert found["median"] <= found["upper_quartile"] <= found["maximum"]
        assert all(abs(measure.scale.cell_of(number)) <= MOST_CELLS for number in numbers)


def test_more_names_than_are_kept_apart_are_counted_together():
    breakdown = Breakdown()
    for number in range(MOST_NAMES + 5):
        breakdown.add([f"{number:03} {'x' * 200}"])
    found = breakdown.to_dict()
    assert (len(found["shares"]), found["other_count"]) == (MOST_NAMES, 5)
    assert all(len(one["name"]) == LONGEST_NAME for one in found["shares"])


def test_a_result_counts_a_name_once_however_often_it_has_it():
    breakdown = Breakdown()
    breakdown.add(["HUM", "HUM", None], 3.0)
    breakdown.add([])
    found = breakdown.to_dict()
    assert found["shares"] == [{"name": "HUM", "count": 1, "duration_s": 3.0}]
    assert (found["count"], found["none_count"]) == (1, 1)


def test_what_was_not_asked_for_is_not_missing():
    statistics = Statistics()
    statistics.add([row({"media.duration_s": 60.0}), row({"media.duration_s": None})])
    found = statistics.to_dict(NOTHING)
    assert (found["duration"]["count"], found["duration"]["none_count"]) == (1, 1)
    assert (found["tempo"]["count"], found["tempo"]["none_count"]) == (0, 0)
    assert (found["keys"]["none_count"], found["quality_problems"]["none_count"]) == (0, 0)


def test_hours_are_told_of_each_bin_and_name():
    statistics = Statistics()
    long = {"media.duration_s": 3600.0, "media.codec": "flac", "rhythm.tempo_bpm": 120.0}
    statistics.add([row(long, ("media", "rhythm"))] * 2)
    found = statistics.to_dict(NOTHING)
    assert found["duration_s"] == 7200.0
    assert found["codecs"]["shares"][0]["duration_s"] == 7200.0
    (full,) = (one for one in found["tempo"]["bins"] if one["count"])
    assert full == {"low": 120.0, "high": 125.0, "count": 2, "duration_s": 7200.0}


def test_the_statistics_have_the_fields_of_the_contract():
    found = Statistics().to_dict(NOTHING)
    told = {field.name for field in CollectionStatistics.DESCRIPTOR.fields}
    assert told - {"first_end_time", "last_end_time"} == found.keys()


def test_what_is_read_are_fields_of_results():
    """Or there would be none of it in any collection."""
    groups = get_type_hints(AnalysisResult)
    for path in {*PATHS} - {ERRORS, PROBLEMS}:
        group, _, field = path.partition(".")
        of_group = get_args(groups[group])[0]
        assert field in get_type_hints(of_group)


def test_pages_take_about_as_long_as_each_other():
    assert rows.next_limit(100, 0.001) == 200
    assert rows.next_limit(5_000, 0.01) == rows.LARGEST_PAGE
    assert rows.next_limit(1_000, 0.5) == 100
    assert rows.next_limit(1_000, 60.0) == rows.LEAST_PAGE


def test_how_large_a_collection_is_and_when_its_jobs_ended(jobs):
    first = jobs.submit()
    jobs.advance(seconds=1)
    second = jobs.submit()
    jobs.advance(seconds=1)
    jobs.submit()
    mine = Collection(owner=OWNER, where=JobFilter())

    def has_more(than, collection=mine):
        return jobs.read(lambda c: has_more_than(c, collection, than))

    assert (has_more(2), has_more(3)) == (True, False)
    assert not has_more(0, Collection(owner="another", where=JobFilter()))
    before = Collection(owner=OWNER, where=JobFilter(), before_id=second.job_id)
    assert (has_more(0, before), has_more(1, before)) == (True, False)
    none = jobs.read(lambda c: extent_of(c, mine))
    assert (none.jobs, none.to_dict()) == (3, {})
    jobs.cancel(first)
    jobs.advance(hours=1)
    jobs.cancel(second)
    ended = jobs.read(lambda c: extent_of(c, mine)).to_dict()
    assert ended["first_end_time"] == "2026-01-02T03:04:07.678901Z"
    assert ended["last_end_time"] == "2026-01-02T04:04:07.678901Z"
