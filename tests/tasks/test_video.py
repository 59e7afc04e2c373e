"""Videos in a job: what is made is an artifact, and what has no sound fails in those features alone that need it."""

import io
import shutil
import signal
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise

import av
import pytest
from celery.exceptions import Ignore
from PIL import Image

from harken.jobs import cancellation, clock, queries, submission
from harken.jobs.files import artifacts
from harken.jobs.job import ErrorKind, JobKind, NewJob, Source
from harken.jobs.options import ImageFormat, Options, VideoOptions, VideoProduct
from harken.jobs.state import JobState
from harken.media.storage import Storage
from harken.settings import Settings
from harken.tasks import known
from harken.tasks.attempt import TASKS
from harken.tasks.plan import video
from harken.tasks.progress import Cancelled, ProgressReporter
from tests.audio.video.films import film, flashing_film
from tests.tasks.conftest import close

TASK = TASKS[JobKind.ANALYSIS]


@pytest.fixture
def root(tmp_path):
    """A media root with a film with sound, one without, and a sound."""
    folder = tmp_path / "root"
    folder.mkdir()
    flashing_film(folder / "talkie.mkv")
    film(folder / "silent.mp4", frames=100)
    return folder


@pytest.fixture
def run(database_url, redis, media, root, tmp_path, monkeypatch):
    """Submits a job for a file and runs it; the job, its result, and the bytes of its artifacts."""
    shutil.copy(media / "piece.flac", root / "piece.flac")
    monkeypatch.setattr(known, "SETTLED_NS", 0)
    monkeypatch.setattr(TASK, "update_state", lambda **_: None)
    before = signal.getsignal(signal.SIGUSR1)

    def run(name, *features, wanted=None, **changed):
        settings = Settings(
            database_url=database_url,
            result_backend=redis,
            media_roots=(str(root),),
            max_retries=0,
            storage_url=(tmp_path / "storage").as_uri(),
            **changed,
        )
        monkeypatch.setattr(TASK, "settings", settings)
        close(TASK)
        new = NewJob(
            source=Source(kind="path", value=name),
            features=features,
            queue="default",
            spec=Options(video=wanted).to_spec(),
        )
        with TASK.database.write() as connection:
            job = submission.submit_job(connection, new, owner="local", now=datetime.now(UTC))
        with suppress(Ignore):
            TASK.run(job.job_id)
        storage = Storage(settings.storage_url)
        with TASK.database.read() as connection:
            found = {
                one.name: artifacts.get_artifact(connection, one.artifact_id, owner="local")[1]
                for one in artifacts.of_job(connection, job.job_id, owner="local")
            }
            return (
                queries.get_job(connection, job.job_id, owner="local"),
                queries.get_result(connection, job.job_id) or {},
                {n: b"".join(storage.read(one.key, end=one.size)) for n, one in found.items()},
            )

    yield run
    close(TASK)
    signal.signal(signal.SIGUSR1, before)


def test_a_film_has_its_facts_a_thumbnail_and_a_contact_sheet(run):
    job, result, files = run("silent.mp4", "video")
    assert job.state is JobState.SUCCEEDED
    assert set(files) == {"thumbnail.jpg", "contact-sheet.jpg"}
    found = result["video"]
    assert (found["width"], found["fps"], found["duration_s"]) == (96, 25.0, 4.0)
    (thumbnail,) = found["thumbnails"]
    with Image.open(io.BytesIO(files[thumbnail["artifact_name"]])) as image:
        assert image.size == (thumbnail["width"], thumbnail["height"]) == (96, 64)
    sheet = found["contact_sheet"]
    assert (sheet["columns"], sheet["rows"], len(sheet["frame_times_s"])) == (4, 4, 16)
    with Image.open(io.BytesIO(files["contact-sheet.jpg"])) as image:
        assert image.size == (sheet["width"], sheet["height"])


def test_options_say_what_is_made(run):
    wanted = VideoOptions(
        products=(VideoProduct.THUMBNAILS, VideoProduct.PROXY),
        thumbnail_times_s=(3.0, 0.5, 99.0),
        thumbnail_height=32,
        image_format=ImageFormat.PNG,
        proxy_height=48,
        proxy_fps=5.0,
    )
    _, result, files = run("talkie.mkv", "video", wanted=wanted)
    names = ["thumbnail-1.png", "thumbnail-2.png", "thumbnail-3.png"]
    assert set(files) == {*names, "proxy.mp4"}
    made = result["video"]["thumbnails"]
    assert [one["artifact_name"] for one in made] == names
    assert [one["time_s"] for one in made] == [3.0, 0.5, 99.0]
    # Past the end the last frame.
    times = [one["frame_time_s"] for one in made]
    assert times == [pytest.approx(t, abs=0.05) for t in (3.0, 0.5, 5.95)]
    assert {one["height"] for one in made} == {32}
    with av.open(io.BytesIO(files["proxy.mp4"])) as container:
        picture = container.streams.video[0]
        assert (picture.height, float(picture.average_rate)) == (48, pytest.approx(5, abs=0.2))
        assert len(container.streams.audio) == 1


def test_facts_alone_make_no_file(run):
    wanted = VideoOptions(products=(VideoProduct.FACTS,))
    job, result, files = run("silent.mp4", "video", wanted=wanted)
    assert (job.state, files) == (JobState.SUCCEEDED, {})
    assert set(result["video"]).isdisjoint({"thumbnails", "contact_sheet", "proxy"})


def test_sound_and_picture_come_by_one_job(run):
    _, result, _ = run("talkie.mkv", "media", "onsets", "video")
    assert list(result) == ["media", "onsets", "video"]
    assert result["onsets"]["onset_count"] > 3


def test_a_film_without_sound_fails_in_what_hears_it_alone(run):
    job, result, files = run("silent.mp4", "media", "stems", "prepare", "video")
    assert job.state is JobState.SUCCEEDED
    assert result["video"]["duration_s"] == 4.0
    reasons = {error["feature"]: (error["kind"], error["reason"]) for error in result["errors"]}
    silent = ("KIND_INPUT", "NO_AUDIO_STREAM")
    assert reasons == dict.fromkeys(("FEATURE_MEDIA", "FEATURE_STEMS", "FEATURE_PREPARE"), silent)
    assert set(files) == {"thumbnail.jpg", "contact-sheet.jpg"}


def test_a_film_without_sound_fails_where_only_sound_is_asked_for(run):
    job, _, _ = run("silent.mp4", "media", "prepare")
    assert (job.state, job.error.kind) == (JobState.FAILED, ErrorKind.INPUT)
    assert job.error.reason == "NO_AUDIO_STREAM"


def test_a_sound_is_no_film(run):
    job, _, _ = run("piece.flac", "video")
    assert (job.state, job.error.reason) == (JobState.FAILED, "NO_VIDEO_STREAM")
    job, result, _ = run("piece.flac", "media", "video")
    assert job.state is JobState.SUCCEEDED
    assert [error["reason"] for error in result["errors"]] == ["NO_VIDEO_STREAM"]


def test_progress_grows_to_the_end_and_says_how_far_the_film_is(run, monkeypatch):
    ticks = []
    monkeypatch.setattr(ProgressReporter, "report", lambda _, *tick: ticks.append(tick))
    run("talkie.mkv", "media", "video", wanted=VideoOptions(products=tuple(VideoProduct)))
    fractions = [fraction for _, fraction, _ in ticks]
    assert fractions == sorted(fractions)
    assert fractions[-1] > 0.95
    # The proxy is most of the work, and its share grows with the seconds of the film.
    proxy = [fraction for _, fraction, message in ticks if message.endswith("of 6 s")]
    assert proxy[-1] - proxy[0] > 0.5
    assert max(later - earlier for earlier, later in pairwise(proxy)) < 0.2


def test_a_job_that_is_cancelled_while_it_makes_a_proxy_leaves_nothing(run, monkeypatch):
    report = ProgressReporter.report

    def cancelled(self, stage, fraction, message):
        if message.startswith("2 of"):
            with TASK.database.write() as c:
                (job,) = queries.list_jobs(c, queries.JobFilter(), owner="local", limit=1)
                cancellation.cancel_job(c, job.job_id, owner="local", now=clock.now(c))
            raise Cancelled
        report(self, stage, fraction, message)

    monkeypatch.setattr(ProgressReporter, "report", cancelled)
    job, _, files = run("talkie.mkv", "video", wanted=VideoOptions(products=tuple(VideoProduct)))
    assert (job.state, files) == (JobState.CANCELLED, {})


def test_files_that_are_more_than_the_owner_may_keep_fail_the_video_alone(run):
    job, result, files = run("talkie.mkv", "media", "video", quota_stored_bytes="2000")
    assert job.state is JobState.SUCCEEDED
    assert [error["reason"] for error in result["errors"]] == ["QUOTA_EXCEEDED"]
    assert files == {}


def test_without_an_encoder_the_error_says_what_to_install(run, monkeypatch):
    monkeypatch.setattr(video, "can_encode", lambda: False)
    job, _, _ = run("silent.mp4", "video", wanted=VideoOptions(products=(VideoProduct.PROXY,)))
    assert (job.error.kind, job.error.reason) == (ErrorKind.INTERNAL, "ENCODER_MISSING")
    assert "PyPI" in job.error.message


def test_the_same_video_with_other_options_is_made_anew(run):
    wanted = VideoOptions(products=(VideoProduct.THUMBNAILS,), thumbnail_height=32)
    first, _, _ = run("silent.mp4", "video")
    again, _, files = run("silent.mp4", "video")
    other, _, _ = run("silent.mp4", "video", wanted=wanted)
    assert [job.cached_from for job in (first, again, other)] == [None, first.job_id, None]
    assert set(files) == {"thumbnail.jpg", "contact-sheet.jpg"}
