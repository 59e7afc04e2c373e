"""Which sounds are found to be the same recording, on both databases, by real fingerprints."""

import itertools
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from harken.audio import analyze
from harken.jobs.errors import NoEmbedding
from harken.jobs.job import Job
from harken.jobs.similarity.duplicates import Duplicates, Looked, Member
from harken.jobs.similarity.search import search_of
from harken.jobs.similarity.wanted import SoundFilter
from tests.jobs.conftest import OWNER, Jobs
from tests.jobs.sounds import result, towards

RATE = 22_050


def tune(seed: int, duration_s: float = 6.0) -> Any:
    """A sound of its own: tones that come and go by the seed's lot."""
    chance = np.random.default_rng(seed)
    time_s = np.arange(round(duration_s * RATE)) / RATE
    sound = np.zeros_like(time_s)
    for hertz in chance.uniform(200, 6_000, 40):
        steps = chance.uniform(0, 1, round(duration_s * 6) + 1) ** 3
        level = np.interp(time_s, np.linspace(0, duration_s, steps.shape[0]), steps)
        sound += level * np.sin(2 * np.pi * hertz * time_s + chance.uniform(0, 6))
    return 0.5 * sound / np.abs(sound).max()


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What the engine finds in two sounds and in other forms of the first."""
    folder = tmp_path_factory.mktemp("tunes")
    one, other = tune(1), tune(2)
    forms = {
        "one": one,
        "quiet": one * 0.1,
        "cut": one[RATE:],
        "ended": one[: 5 * RATE],
        "other": other,
    }
    found: dict[str, dict[str, Any]] = {}
    for name, sound in forms.items():
        soundfile.write(folder / f"{name}.wav", sound, RATE)
        found[name] = analyze(Path(folder, f"{name}.wav"), ["media", "embedding"]).to_dict()
    return found


def done(jobs: Jobs, found: dict[str, Any], path: str, **fields: Any) -> Job:
    jobs.advance(seconds=1)
    job = jobs.running(path=path, **fields)
    jobs.succeed(job, found)
    return job


def look(jobs: Jobs, after: int = 0, *, groups: int = 50, **where: Any) -> Looked:
    search = search_of(jobs.database.dialect)
    return jobs.read(
        lambda c: Duplicates(c, search, OWNER, SoundFilter(**where)).look(
            after, groups=groups, within_s=60, clock=time.monotonic
        )
    )


def names(groups: tuple[tuple[Member, ...], ...], known: dict[str, str]) -> list[list[str]]:
    return [[known[member.job_id] for member in group] for group in groups]


def test_forms_of_a_recording_are_one_group_and_others_none(
    jobs: Jobs, results: dict[str, dict[str, Any]]
) -> None:
    known = {done(jobs, found, f"{name}.wav").job_id: name for name, found in results.items()}
    looked = look(jobs)
    assert names(looked.groups, known) == [["one", "quiet", "cut", "ended"]]
    assert (looked.position, looked.looked_at, looked.without_fingerprint) == (None, 5, 0)
    first, quiet, cut, _ = looked.groups[0]
    assert first.similarity == pytest.approx(1, abs=1e-5)
    assert quiet.similarity > 0.99
    assert (first.match.bit_error_rate, cut.match.offset_s) == (0, pytest.approx(-1, abs=0.1))


def test_of_one_job_the_group_is_found_wherever_it_begins(
    jobs: Jobs, results: dict[str, dict[str, Any]]
) -> None:
    made = {name: done(jobs, found, f"{name}.wav") for name, found in results.items()}
    known = {job.job_id: name for name, job in made.items()}
    search = search_of(jobs.database.dialect)

    def of_job(name: str) -> list[str]:
        group = jobs.read(
            lambda c: Duplicates(c, search, OWNER, SoundFilter()).of_job(made[name].job_id)
        )
        return [known[member.job_id] for member in group]

    assert of_job("cut") == ["one", "quiet", "cut", "ended"]
    assert of_job("other") == []


def test_a_file_that_was_submitted_again_is_no_duplicate_of_itself(
    jobs: Jobs, results: dict[str, dict[str, Any]]
) -> None:
    for _ in range(3):
        done(jobs, results["one"], "one.wav")
    assert look(jobs).groups == ()
    copy = done(jobs, results["one"], "copy.wav")
    ((first, second),) = look(jobs).groups
    assert second.job_id == copy.job_id
    assert first.job_id != copy.job_id


def test_only_what_is_asked_for_is_looked_at(
    jobs: Jobs, results: dict[str, dict[str, Any]]
) -> None:
    done(jobs, results["one"], "one.wav", labels={"kit": "a"})
    done(jobs, results["quiet"], "quiet.wav", labels={"kit": "b"})
    done(jobs, results["cut"], "cut.wav", labels={"kit": "a"})
    assert len(look(jobs).groups[0]) == 3
    (pair,) = look(jobs, labels={"kit": "a"}).groups
    assert len(pair) == 2
    assert look(jobs, labels={"kit": "b"}).groups == ()


def test_what_is_anothers_is_no_duplicate(jobs: Jobs, results: dict[str, dict[str, Any]]) -> None:
    done(jobs, results["one"], "one.wav")
    done(jobs, results["one"], "theirs.wav", owner="ann")
    assert look(jobs).groups == ()


def test_pages_have_every_group_once(jobs: Jobs, results: dict[str, dict[str, Any]]) -> None:
    pairs = [("one", "quiet"), ("other", "other")]
    known: dict[str, str] = {}
    for name, place in itertools.product(range(2), range(2)):
        job = done(jobs, results[pairs[place][name]], f"{place}-{name}.wav")
        known[job.job_id] = f"{place}-{name}"
    found: list[list[str]] = []
    position: int | None = 0
    while position is not None:
        looked = look(jobs, position, groups=1)
        found += names(looked.groups, known)
        position = looked.position
    assert found == [["0-0", "0-1"], ["1-0", "1-1"]]


def test_time_that_is_over_ends_a_page_and_not_the_search(
    jobs: Jobs, results: dict[str, dict[str, Any]]
) -> None:
    done(jobs, results["one"], "one.wav")
    done(jobs, results["quiet"], "quiet.wav")
    search = search_of(jobs.database.dialect)
    ticks = itertools.count()
    looked = jobs.read(
        lambda c: Duplicates(c, search, OWNER, SoundFilter()).look(
            0, groups=9, within_s=0.5, clock=lambda: float(next(ticks))
        )
    )
    assert looked.looked_at == 1
    assert looked.position is not None


def test_a_sound_without_a_vector_or_a_fingerprint_is_told(jobs: Jobs) -> None:
    plain = done(jobs, result(towards(0)), "old.wav")
    silent = done(jobs, {"embedding": {"model": "m"}}, "silent.wav")
    assert look(jobs).without_fingerprint == 1
    search = search_of(jobs.database.dialect)

    def look_for(job: Job) -> tuple[Member, ...]:
        return jobs.read(lambda c: Duplicates(c, search, OWNER, SoundFilter()).of_job(job.job_id))

    assert look_for(plain) == ()
    with pytest.raises(NoEmbedding):
        look_for(silent)
