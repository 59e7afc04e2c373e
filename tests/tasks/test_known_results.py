"""An unchanged file with the same features is not analysed again: its earlier result is there at once."""

import os
import shutil
import signal
import time
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from celery.exceptions import Ignore

import harken.audio
from harken.audio import version
from harken.jobs import queries, submission
from harken.jobs.files import uploads
from harken.jobs.files.upload import NewUpload
from harken.jobs.job import ErrorKind, JobKind, NewJob, Source
from harken.jobs.state import JobState
from harken.jobs.upkeep import retention
from harken.media.storage import Storage
from harken.settings import Settings
from harken.tasks import known
from harken.tasks.attempt import TASKS
from tests.tasks.conftest import close

DAY_S = 24 * 3600
analyze = TASKS[JobKind.ANALYSIS]


@pytest.fixture
def task(database_url, redis, media, tmp_path, monkeypatch):
    """The task on a database, a Redis, a media root and a storage of its own."""
    root = tmp_path / "root"
    root.mkdir()
    shutil.copy(media / "piece.mp3", root / "piece.mp3")
    # When a file was changed last cannot be set: no time counts as a moment ago here, save where that is tested.
    monkeypatch.setattr(known, "SETTLED_NS", 0)
    settings = Settings(
        database_url=database_url,
        result_backend=redis,
        media_roots=(str(root),),
        max_retries=0,
        storage_url=(tmp_path / "storage").as_uri(),
    )
    monkeypatch.setattr(analyze, "settings", settings)
    monkeypatch.setattr(analyze, "update_state", lambda **_: None)
    before = signal.getsignal(signal.SIGUSR1)
    close(analyze)
    yield analyze
    close(analyze)
    signal.signal(signal.SIGUSR1, before)


@pytest.fixture
def file(tmp_path):
    """The file that is submitted."""
    return tmp_path / "root" / "piece.mp3"


@pytest.fixture
def run(task):
    """Submits a job and runs it; returns it as it is then, and its result."""

    def run(source=None, *, owner="local", **fields):
        new = NewJob(
            source=source or Source(kind="path", value="piece.mp3"),
            queue="default",
            **{"features": ("media",), **fields},
        )
        with task.database.write() as connection:
            now = datetime.now(UTC)
            job_id = submission.submit_job(connection, new, owner=owner, now=now).job_id
        task.run(job_id)
        with task.database.read() as connection:
            job = queries.get_job(connection, job_id, owner=owner)
            return job, queries.get_result(connection, job_id)

    return run


@pytest.fixture
def upload(task):
    """Keeps bytes as a complete upload; returns it as a source, and the key of its bytes."""

    def upload(data, owner="local"):
        with Storage(task.settings.storage_url).new(owner) as writer:
            writer.write(data)
            blob = writer.finish()
        upload_id = str(uuid.uuid4())
        options = {"owner": owner, "writer": str(uuid.uuid4()), "kept_for": timedelta(days=1)}
        now = datetime.now(UTC)
        with task.database.write() as connection:
            new = NewUpload(upload_id=upload_id, filename="")
            uploads.open_upload(connection, new, offset=0, now=now, **options)
            uploads.begin_part(
                connection, upload_id, blob.key, owner=owner, writer=options["writer"], now=now
            )
            uploads.complete(connection, upload_id, blob, now=now, **options)
        return Source(kind="upload_id", value=upload_id), blob.key

    return upload


def nothing_is_decoded(monkeypatch):
    monkeypatch.setattr(harken.audio, "analyze", lambda *_, **__: pytest.fail("it was decoded"))


def test_an_unchanged_file_has_its_earlier_result_at_once(run, monkeypatch):
    first, result = run()
    nothing_is_decoded(monkeypatch)
    again, known_result = run()
    assert (again.state, again.attempt) == (JobState.SUCCEEDED, 1)
    assert known_result == result != {}
    assert (first.cached_from, again.cached_from) == (None, first.job_id)
    third, _ = run()
    assert third.cached_from == first.job_id


def test_by_another_name_below_the_roots_it_is_the_same_file(run, file, monkeypatch):
    run()
    nothing_is_decoded(monkeypatch)
    os.symlink(file, file.with_name("link.mp3"))
    assert run(Source(kind="path", value="link.mp3"))[0].cached_from is not None


@pytest.mark.parametrize(
    "change",
    [
        lambda file: os.utime(file, (time.time() - DAY_S,) * 2),
        lambda file: file.write_bytes(file.read_bytes()),
        lambda file: shutil.copy2(shutil.move(file, file.with_suffix(".old")), file),
    ],
    ids=["touched", "written", "replaced"],
)
def test_a_changed_file_is_analysed_again(run, file, change):
    run()
    change(file)
    job, _ = run()
    assert (job.state, job.cached_from) == (JobState.SUCCEEDED, None)


def test_bytes_put_in_their_place_behind_the_files_back_are_noticed(run, file):
    """The size, the inode and the time of the change are as before; only the entry's own time tells."""
    run()
    before = file.stat()
    with file.open("r+b") as opened:
        opened.seek(1000)
        opened.write(bytes(100))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = file.stat()
    assert (after.st_size, after.st_ino, after.st_mtime_ns) == (
        before.st_size,
        before.st_ino,
        before.st_mtime_ns,
    )
    assert run()[0].cached_from is None


def test_a_file_that_changed_a_moment_ago_is_not_known_by_its_times(run, monkeypatch):
    monkeypatch.setattr(known, "SETTLED_NS", 10**12)
    run()
    assert run()[0].cached_from is None


def test_a_file_that_changes_while_it_is_read_is_not_known_afterwards(run, file, monkeypatch):
    analyze_file = harken.audio.analyze

    def analyze_and_touch(*arguments, **options):
        found = analyze_file(*arguments, **options)
        os.utime(file)
        return found

    with monkeypatch.context() as changed:
        changed.setattr(harken.audio, "analyze", analyze_and_touch)
        run()
    # As it was analysed it is no more; and as it is now it was never analysed.
    assert run()[0].cached_from is None


def test_other_features_another_owner_and_another_engine_have_results_of_their_own(
    run, monkeypatch
):
    run()
    assert run(features=("media", "loudness"))[0].cached_from is None
    assert run(owner="bob")[0].cached_from is None
    assert run()[0].cached_from is not None
    monkeypatch.setattr(version, "engine_version", lambda: "another")
    assert run()[0].cached_from is None


def test_who_does_not_want_what_is_known_gets_it_found_again(run):
    first, _ = run()
    fresh, _ = run(skip_cache=True)
    assert fresh.cached_from is None
    assert run()[0].cached_from in {first.job_id, fresh.job_id}


def test_a_failure_is_not_known(run, file):
    file.write_bytes(b"nothing of the kind")
    assert [run()[0].state for _ in range(2)] == [JobState.FAILED] * 2


def test_a_result_that_was_deleted_meanwhile_is_found_again(run, task, monkeypatch):
    run()
    find = known.known_results.find

    def find_and_delete(connection, key, *, owner):
        found = find(connection, key, owner=owner)
        with task.database.write() as other:
            retention.delete_ended_before(other, datetime.now(UTC) + timedelta(days=1))
        return found

    with monkeypatch.context() as deleting:
        deleting.setattr(known.known_results, "find", find_and_delete)
        with pytest.raises(Ignore):  # the attempt wrote no end
            run()
    with task.database.read() as connection:
        (waiting,) = queries.list_jobs(connection, queries.JobFilter(), owner="local", limit=9)
    assert waiting.state is JobState.QUEUED
    task.run(waiting.job_id)
    with task.database.read() as connection:
        done = queries.get_job(connection, waiting.job_id, owner="local")
    assert (done.state, done.cached_from, done.retries) == (JobState.SUCCEEDED, None, 0)


def test_an_upload_is_analysed_and_known_by_its_bytes(run, upload, file, monkeypatch):
    source, _ = upload(file.read_bytes())
    first, result = run(source)
    assert (first.state, first.cached_from) == (JobState.SUCCEEDED, None)
    assert result["media"]["duration_s"] > 11
    nothing_is_decoded(monkeypatch)
    again, known_result = run(upload(file.read_bytes())[0])
    assert (again.cached_from, known_result) == (first.job_id, result)


def test_an_upload_whose_bytes_are_gone_is_the_inputs_fault(run, upload, task, file):
    source, key = upload(file.read_bytes())
    Storage(task.settings.storage_url).delete([key])
    job, _ = run(source)
    assert (job.error.kind, job.error.reason) == (ErrorKind.INPUT, "SOURCE_NOT_FOUND")
    assert "Upload the file again" in job.error.message
    unknown, _ = run(Source(kind="upload_id", value=str(uuid.uuid4())))
    assert (unknown.error.kind, unknown.error.reason) == (ErrorKind.INPUT, "SOURCE_NOT_FOUND")


def test_anothers_upload_is_none(run, upload, file):
    source, _ = upload(file.read_bytes(), owner="bob")
    assert run(source)[0].error.reason == "SOURCE_NOT_FOUND"
    assert run(source, owner="bob")[0].state is JobState.SUCCEEDED


def test_the_engines_version_is_that_of_its_code_and_of_what_is_below_it(monkeypatch):
    before = version.engine_version()
    version.engine_version.cache_clear()
    assert version.engine_version() == before
    version.engine_version.cache_clear()
    monkeypatch.setattr(version, "_version", lambda name: "1" if name == "soxr" else "2")
    assert version.engine_version() != before
    version.engine_version.cache_clear()


def test_settings_do_not_change_what_is_known(run, task, monkeypatch):
    first, _ = run()
    monkeypatch.setattr(task, "settings", replace(task.settings, max_retries=7))
    assert run()[0].cached_from == first.job_id
