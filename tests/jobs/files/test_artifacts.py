"""Bytes are kept once for each owner and for as long as something refers to them; artifacts go with their jobs."""

from datetime import timedelta

import pytest

from harken.jobs import execution
from harken.jobs.errors import ArtifactNotFound, JobNotFound
from harken.jobs.files import artifacts, blobs
from harken.jobs.files.blobs import UNUSED_FOR, StoredBytes
from harken.jobs.files.stored_bytes import stored_bytes
from harken.jobs.state import JobState
from harken.jobs.upkeep import retention

A, B = "a" * 64, "b" * 64
OWNER = "local"


def stored(sha256=A, key="blobs/one", size=3):
    return StoredBytes(key=key, sha256=sha256, size=size)


def keep(jobs, job, content=None, name="report.csv", attempt=None):
    return jobs.write(
        lambda c: artifacts.keep(
            c,
            job.job_id,
            job.attempt if attempt is None else attempt,
            content or stored(),
            name=name,
            media_type="text/csv",
            now=jobs.now,
        )
    )


def unused(jobs):
    return jobs.write(lambda c: blobs.delete_unused(c, jobs.now))


def test_an_artifact_is_kept_with_the_end_of_its_job(jobs):
    job = jobs.running()

    def end(connection):
        made = artifacts.keep(
            connection, job.job_id, job.attempt, stored(), name="x", media_type="y/z", now=jobs.now
        )
        return made, execution.succeed(connection, job.job_id, job.attempt, {}, jobs.now)

    made, state = jobs.write(end)
    assert state is JobState.SUCCEEDED
    found, content = jobs.read(lambda c: artifacts.get_artifact(c, made.artifact_id, owner=OWNER))
    assert (found, content) == (made, stored())
    assert jobs.read(lambda c: artifacts.of_job(c, job.job_id, owner=OWNER)) == (made,)


def test_an_attempt_that_lost_its_job_keeps_nothing(jobs):
    job = jobs.running()
    jobs.hand_back(job)
    again = jobs.claim(job)
    assert keep(jobs, job) is None
    jobs.succeed(again)
    assert keep(jobs, again) is None
    assert jobs.read(lambda c: artifacts.of_job(c, job.job_id, owner=OWNER)) == ()


def test_anothers_artifact_is_not_found(jobs):
    made = keep(jobs, jobs.running())
    with pytest.raises(ArtifactNotFound):
        jobs.read(lambda c: artifacts.get_artifact(c, made.artifact_id, owner="bob"))
    with pytest.raises(JobNotFound):
        jobs.read(lambda c: artifacts.list_artifacts(c, made.job_id, owner="bob", limit=9))
    assert jobs.read(lambda c: artifacts.of_job(c, made.job_id, owner="bob")) == ()


def test_artifacts_are_listed_in_pages(jobs):
    job = jobs.running()
    made = []
    for name in "abc":
        made.append(keep(jobs, job, name=name))
        jobs.advance(seconds=1)

    def page(after_id):
        return jobs.read(
            lambda c: artifacts.list_artifacts(
                c, job.job_id, owner=OWNER, limit=2, after_id=after_id
            )
        )

    assert list(page(None) + page(made[1].artifact_id)) == made


def test_the_same_bytes_of_an_owner_are_kept_once(jobs):
    first = jobs.write(lambda c: blobs.keep(c, stored(key="one"), owner="ann", now=jobs.now))
    again = jobs.write(lambda c: blobs.keep(c, stored(key="two"), owner="ann", now=jobs.now))
    other = jobs.write(lambda c: blobs.keep(c, stored(key="three"), owner="bob", now=jobs.now))
    assert (first, again, other) == ("one", "one", "three")
    assert jobs.read(lambda c: blobs.known_keys(c, ["one", "two", "three"])) == {"one", "three"}
    assert jobs.read(lambda c: stored_bytes(c, owner="ann")) == 3


def test_two_that_keep_the_same_bytes_at_once_agree_on_a_key(jobs):
    def keep_as(key):
        return lambda: jobs.write(
            lambda c: blobs.keep(c, stored(key=key), owner="ann", now=jobs.now)
        )

    assert len(set(jobs.at_once(*[keep_as(f"key-{number}") for number in range(4)]))) == 1


def test_bytes_go_when_nothing_refers_to_them_any_more(jobs):
    job = jobs.running()
    keep(jobs, job)
    jobs.succeed(job)
    jobs.advance(hours=2)
    assert unused(jobs) == ()
    jobs.write(lambda c: retention.delete_ended_before(c, jobs.now))
    assert unused(jobs) == ("blobs/one",)
    assert jobs.read(lambda c: blobs.find(c, A, owner=OWNER)) is None
    assert unused(jobs) == ()


def test_bytes_that_were_used_of_late_are_left_to_who_is_about_to_refer_to_them(jobs):
    jobs.write(lambda c: blobs.keep(c, stored(), owner="ann", now=jobs.now))
    jobs.advance(hours=2)
    assert jobs.write(lambda c: blobs.use(c, A, owner="ann", now=jobs.now)) == stored()
    assert unused(jobs) == ()
    jobs.advance(seconds=(UNUSED_FOR + timedelta(seconds=1)).total_seconds())
    assert unused(jobs) == ("blobs/one",)
    assert jobs.write(lambda c: blobs.use(c, A, owner="ann", now=jobs.now)) is None


def test_two_names_of_the_same_bytes_are_two_artifacts(jobs):
    job = jobs.running()
    first, second = keep(jobs, job, name="a"), keep(jobs, job, stored(key="other"), name="b")
    for made in (first, second):
        _, content = jobs.read(
            lambda c, made=made: artifacts.get_artifact(c, made.artifact_id, owner=OWNER)
        )
        assert content.key == "blobs/one"
