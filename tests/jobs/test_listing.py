import pytest

from harken.jobs.state import JobState

ODD_KEYS = [
    "a.b",
    'say "x"',
    "it's",
    "$",
    "$.a",
    "0",
    "[0]",
    "back\\slash",
    "naïve",
    "🎵",
    "a b",
    "%",
]


def paths(listed):
    return [job.source.value for job in listed]


def test_jobs_are_listed_newest_first(jobs):
    for number in range(3):
        jobs.submit(f"{number}.wav")
        jobs.advance(milliseconds=1)
    assert paths(jobs.listed()) == ["2.wav", "1.wav", "0.wav"]


def test_pages_follow_each_other_without_gap_or_repetition(jobs):
    for number in range(7):
        jobs.submit(f"{number}.wav")
        jobs.advance(milliseconds=1)
    pages, before = [], None
    while page := jobs.listed(limit=3, before_id=before):
        pages.append(paths(page))
        before = page[-1].job_id
    assert pages == [["6.wav", "5.wav", "4.wav"], ["3.wav", "2.wav", "1.wav"], ["0.wav"]]


def test_a_job_submitted_while_someone_pages_does_not_shift_the_pages(jobs):
    for number in range(4):
        jobs.submit(f"{number}.wav")
        jobs.advance(milliseconds=1)
    first = jobs.listed(limit=2)
    jobs.submit("new.wav")
    assert paths(jobs.listed(limit=2, before_id=first[-1].job_id)) == ["1.wav", "0.wav"]


def test_only_a_batchs_jobs_are_listed(jobs):
    jobs.submit("other.wav")
    batch = jobs.submit_batch(jobs.new("a.wav"))
    assert paths(jobs.listed(batch_id=batch.batch_id)) == ["a.wav"]


def test_only_jobs_in_the_states_wanted_are_listed(jobs):
    jobs.submit("queued.wav")
    jobs.running(path="running.wav")
    jobs.fail(jobs.running(path="failed.wav"))
    found = jobs.listed(states=(JobState.QUEUED, JobState.FAILED))
    assert set(paths(found)) == {"queued.wav", "failed.wav"}


def test_jobs_need_all_labels_wanted(jobs):
    jobs.submit("both.wav", labels={"a": "1", "b": "2"})
    jobs.submit("one.wav", labels={"a": "1"})
    jobs.submit("differs.wav", labels={"a": "1", "b": "3"})
    jobs.submit("none.wav")
    assert paths(jobs.listed(labels={"a": "1", "b": "2"})) == ["both.wav"]
    assert len(jobs.listed(labels={"a": "1"})) == 3


@pytest.mark.parametrize("key", ODD_KEYS)
def test_any_key_can_be_filtered_by(jobs, key):
    jobs.submit("wanted.wav", labels={key: "x", "other": "y"})
    jobs.submit("other.wav", labels={"x": key, "other": "x"})
    assert paths(jobs.listed(labels={key: "x"})) == ["wanted.wav"]
    assert jobs.listed(labels={key: "y"}) == []


@pytest.mark.parametrize("value", ["", "1", "true", "null", "1.0", '"', "ä\\n", "%", "[]"])
def test_a_value_is_compared_as_text(jobs, value):
    jobs.submit("wanted.wav", labels={"k": value})
    jobs.submit("other.wav", labels={"k": value + "x"})
    assert paths(jobs.listed(labels={"k": value})) == ["wanted.wav"]


def test_filters_add_up(jobs):
    batch = jobs.submit_batch(jobs.new("a.wav", labels={"k": "v"}), jobs.new("b.wav"))
    jobs.submit("c.wav", labels={"k": "v"})
    found = jobs.listed(batch_id=batch.batch_id, states=[JobState.QUEUED], labels={"k": "v"})
    assert paths(found) == ["a.wav"]


def test_another_owners_jobs_are_not_listed(jobs):
    jobs.submit(owner="other")
    assert jobs.listed() == []
