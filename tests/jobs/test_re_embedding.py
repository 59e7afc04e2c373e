"""Bringing all sounds to one model, step by step, on both databases."""

import base64
from datetime import timedelta

from sqlalchemy import delete, select

from harken.jobs.job import Job
from harken.jobs.similarity import re_embedding
from harken.jobs.similarity.embeddings import QUERY
from harken.jobs.similarity.re_embedding import Stale
from harken.jobs.state import JobState
from harken.jobs.store.schema import EMBEDDINGS
from tests.jobs.conftest import Jobs
from tests.jobs.sounds import MODEL, result, towards

FINGERPRINT = base64.b64encode(b"\x02\x00\x00\x00\x00\x00").decode()
NEW = "test-2"


def done(jobs: Jobs, model: str = MODEL, **fields: object) -> Job:
    jobs.advance(seconds=1)
    job = jobs.running(**{"features": ("media", "loudness", "embedding"), **fields})
    jobs.succeed(job, result(towards(3), model=model, fingerprint=FINGERPRINT))
    return job


def kept(jobs: Jobs) -> list[str]:
    query = select(EMBEDDINGS.c.job_id).order_by(EMBEDDINGS.c.position)
    return list(jobs.read(lambda c: c.execute(query).scalars().all()))


def submit(jobs: Jobs, sound: Stale) -> str | None:
    return jobs.write(
        lambda c: re_embedding.submit_again(
            c,
            sound,
            queue_for=lambda _: "audio_processing",
            now=jobs.now,
            uploads_kept_for=timedelta(hours=1),
        )
    )


def test_results_from_before_are_brought_in_page_by_page_and_once(jobs: Jobs, monkeypatch) -> None:
    monkeypatch.setattr(re_embedding, "CHUNK", 2)
    made = [done(jobs) for _ in range(5)]
    done(jobs, spec={QUERY: True})
    jobs.succeed(jobs.running(), {"media": {}})
    jobs.write(lambda c: c.execute(delete(EMBEDDINGS)))
    first = jobs.write(lambda c: re_embedding.bring_in(c, None))
    assert (first.brought_in, len(kept(jobs))) == (2, 2)
    after: str | None = None  # as after a crash: from the beginning
    while True:
        page = jobs.write(lambda c, after=after: re_embedding.bring_in(c, after))
        if page.job_id is None:
            break
        after = page.job_id
    assert kept(jobs) == [job.job_id for job in made]


def test_what_another_model_made_is_analysed_again_once_and_urgently_by_nobody(jobs: Jobs) -> None:
    old = done(jobs, labels={"kit": "909"}, owner="ann")
    done(jobs, model=NEW)
    (sound,) = jobs.read(lambda c: re_embedding.stale(c, NEW, 0, 10))
    assert sound.job_id == old.job_id
    again = submit(jobs, sound)
    assert again == submit(jobs, sound)  # as after a crash
    assert again is not None
    job = jobs.get(Job(**{**vars(old), "job_id": again}))
    assert (job.priority, job.skip_cache, job.labels) == (0, True, {"kit": "909"})
    assert job.features == ("media", "embedding")
    assert job.source == old.source
    assert jobs.read(lambda c: re_embedding.count_stale(c, NEW)) == 1


def test_the_old_vector_goes_when_the_new_one_is_there(jobs: Jobs) -> None:
    old, failing = done(jobs), done(jobs, path="gone.wav")
    sounds = jobs.read(lambda c: re_embedding.stale(c, NEW, 0, 10))
    made = {submit(jobs, sound) or "": sound.job_id for sound in sounds}
    waiting, ended, failed = jobs.write(lambda c: re_embedding.settle(c, made))
    assert (waiting, ended, failed) == (made, 0, 0)
    for job_id, of in made.items():
        claimed = jobs.claim(Job(**{**vars(old), "job_id": job_id}))
        assert claimed is not None
        if of == old.job_id:
            found = result(towards(4), model=NEW, fingerprint=FINGERPRINT)
            assert jobs.succeed(claimed, found) is JobState.SUCCEEDED
        else:
            jobs.fail(claimed)
    waiting, ended, failed = jobs.write(lambda c: re_embedding.settle(c, made))
    assert (waiting, ended, failed) == ({}, 1, 1)
    new = next(job_id for job_id, of in made.items() if of == old.job_id)
    assert kept(jobs) == [failing.job_id, new]
    assert jobs.result(old) is not None


def test_a_sound_without_a_fingerprint_is_analysed_again_too(jobs: Jobs) -> None:
    job = jobs.running(features=("embedding",))
    jobs.succeed(job, result(towards(0)))
    (sound,) = jobs.read(lambda c: re_embedding.stale(c, MODEL, 0, 10))
    assert sound.job_id == job.job_id


def test_a_sound_with_a_fingerprint_of_an_older_version_is_analysed_again_and_none_of_todays(
    jobs: Jobs,
) -> None:
    older = base64.b64encode(b"\x01\x00\x00\x00\x00\x00").decode()
    old = jobs.running(features=("embedding",))
    jobs.succeed(old, result(towards(0), model=MODEL, fingerprint=older))
    todays = jobs.running(features=("embedding",))
    jobs.succeed(todays, result(towards(0), model=MODEL, fingerprint=FINGERPRINT))
    (sound,) = jobs.read(lambda c: re_embedding.stale(c, MODEL, 0, 10))
    assert sound.job_id == old.job_id
    assert jobs.read(lambda c: re_embedding.count_stale(c, MODEL)) == 1


def test_a_sound_whose_upload_is_gone_cannot_be(jobs: Jobs) -> None:
    job = done(jobs)
    (sound,) = jobs.read(lambda c: re_embedding.stale(c, NEW, 0, 10))
    gone = Stale(
        **{
            **{name: getattr(sound, name) for name in sound.__dataclass_fields__},
            "source": type(job.source)(
                kind="upload_id", value="0197c0de-0000-7000-8000-000000000000"
            ),
        }
    )
    assert submit(jobs, gone) is None
    assert len(jobs.listed()) == 1
