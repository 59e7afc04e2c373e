"""Stems and prepared files are artifacts of their job: written in it, kept with its end, or not there at all."""

import io
import shutil
import signal
from contextlib import suppress
from datetime import UTC, datetime
from tempfile import gettempdir

import numpy as np
import pytest
import soundfile
from celery.exceptions import Ignore
from PIL import Image

from harken.audio import Feature, analyze
from harken.audio.decode import Recording
from harken.audio.separation.model import Model
from harken.jobs import cancellation, clock, queries, submission
from harken.jobs.files import artifacts
from harken.jobs.job import ErrorKind, JobKind, NewJob, Source
from harken.jobs.options import (
    AudioFormat,
    Options,
    PictureKind,
    PicturesOptions,
    PictureTheme,
    PrepareOptions,
    StemKind,
    StemsOptions,
)
from harken.jobs.state import JobState
from harken.media import marker
from harken.media.storage import Storage
from harken.settings import Settings
from harken.tasks import known
from harken.tasks.attempt import TASKS
from harken.tasks.progress import Cancelled, ProgressReporter
from tests.audio.separation.tiny_model import SAID, write_model
from tests.tasks.conftest import close

TASK = TASKS[JobKind.ANALYSIS]
WAYS = Options(
    stems=StemsOptions(kinds=(StemKind.HARMONIC_PERCUSSIVE, StemKind.FOREGROUND_BACKGROUND))
)
BY_MODEL = Options(stems=StemsOptions(kinds=(StemKind.MODEL,)))


@pytest.fixture
def made(database_url, redis, media, tmp_path, monkeypatch):
    """Submits a job for a piece of music and runs it; the job, its result, and the bytes of its artifacts."""
    root = tmp_path / "root"
    root.mkdir()
    shutil.copy(media / "piece.mp3", root / "piece.mp3")
    monkeypatch.setattr(known, "SETTLED_NS", 0)
    monkeypatch.setattr(TASK, "update_state", lambda **_: None)
    before = signal.getsignal(signal.SIGUSR1)

    def run(*features, options=None, **changed):
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
            source=Source(kind="path", value="piece.mp3"),
            features=features,
            queue="default",
            spec=(options or Options()).to_spec(),
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

    run.source = root / "piece.mp3"
    run.storage = tmp_path / "storage"
    yield run
    close(TASK)
    signal.signal(signal.SIGUSR1, before)


def decoded(path):
    with Recording(str(path)) as recording:
        return np.concatenate([block.samples for block in recording.blocks()], axis=1)


def samples_of(content):
    return soundfile.read(io.BytesIO(content), always_2d=True)[0].T


def kept(made):
    files = (one for one in made.storage.rglob("*") if one.is_file())
    return [one for one in files if one.name != marker.KEY]


def assert_stems_sum_to(whole, result, files):
    """Within 60 dB, which is asked for; it is what rounding to 24 bits leaves."""
    for kind in {stem["kind"] for stem in result["stems"]["stems"]}:
        stems = [stem for stem in result["stems"]["stems"] if stem["kind"] == kind]
        summed = sum(samples_of(files[stem["artifact_name"]]) for stem in stems)
        rest = summed - whole * 10 ** (stems[0]["gain_db"] / 20)
        assert np.sum(rest**2) < 1e-12 * np.sum(whole**2)
        assert sum(stem["energy_share"] for stem in stems) == pytest.approx(1.0)


def test_stems_of_a_real_recording_sum_to_it(made):
    job, result, files = made("media", "stems", options=WAYS)
    assert job.state is JobState.SUCCEEDED, job.error
    names = ["harmonic", "percussive", "background", "foreground"]
    assert [stem["name"] for stem in result["stems"]["stems"]] == names
    assert {*files} == {f"{name}.flac" for name in names}
    assert_stems_sum_to(decoded(made.source), result, files)
    info = soundfile.info(io.BytesIO(files["harmonic.flac"]))
    assert (info.samplerate, info.channels, info.subtype) == (48_000, 2, "PCM_24")
    assert info.duration == pytest.approx(result["media"]["duration_s"], abs=1e-9)


def test_without_options_stems_are_harmonic_and_percussive(made):
    _, result, files = made("stems")
    assert {*files} == {"harmonic.flac", "percussive.flac"}
    assert {stem["kind"] for stem in result["stems"]["stems"]} == {"KIND_HARMONIC_PERCUSSIVE"}


def test_a_models_stems_bear_its_name_and_sum_to_the_whole_with_the_residual(made, tmp_path):
    path = write_model(tmp_path / "model.onnx", said=SAID)
    job, result, files = made("stems", options=BY_MODEL, stems_model=str(path))
    assert job.state is JobState.SUCCEEDED, job.error
    assert {*files} == {"voice.flac", "band.flac", "residual.flac"}
    assert {stem["model"] for stem in result["stems"]["stems"]} == {"gains 1"}
    assert_stems_sum_to(decoded(made.source), result, files)


def test_a_cancelled_job_runs_its_model_for_no_further_segment(made, monkeypatch, tmp_path):
    """Though a block of sound has eight of them, and the next tick comes after it."""
    path = write_model(tmp_path / "model.onnx", said=SAID)
    split, check, runs = Model.split, ProgressReporter.check, []

    def splitting(self, samples):
        runs.append(samples.shape)
        if len(runs) == 3:
            with TASK.database.write() as c:
                (job,) = queries.list_jobs(c, queries.JobFilter(), owner="local", limit=1)
                cancellation.cancel_job(c, job.job_id, owner="local", now=clock.now(c))
        return split(self, samples)

    def seen_at_once(self):
        self._cancelled = len(runs) >= 3
        check(self)

    monkeypatch.setattr(Model, "split", splitting)
    monkeypatch.setattr(ProgressReporter, "check", seen_at_once)
    job, _, files = made("stems", options=BY_MODEL, stems_model=str(path))
    assert (job.state, files) == (JobState.CANCELLED, {})
    assert len(runs) == 3


def test_another_model_is_not_answered_with_the_stems_of_the_one_before(made, tmp_path):
    path = write_model(tmp_path / "model.onnx", said=SAID)
    first, _, _ = made("stems", options=BY_MODEL, stems_model=str(path))
    again, _, _ = made("stems", options=BY_MODEL, stems_model=str(path))
    write_model(path, said={**SAID, "name": "gains 2"})
    other, result, _ = made("stems", options=BY_MODEL, stems_model=str(path))
    assert again.cached_from == first.job_id
    assert other.cached_from is None
    assert result["stems"]["stems"][0]["model"] == "gains 2"


def test_without_a_model_the_others_features_are_there_and_the_error_says_what_to_do(made):
    job, result, files = made("media", "stems", options=BY_MODEL)
    (error,) = result["errors"]
    assert (job.state, files) == (JobState.SUCCEEDED, {})
    assert (error["kind"], error["reason"]) == ("KIND_INTERNAL", "MODEL_NOT_CONFIGURED")
    assert "HARKEN_STEMS_MODEL" in error["message"]
    alone, _, _ = made("stems", options=BY_MODEL)
    # Whoever sets the model up finds it among the dead letters, and retries it.
    assert (alone.error.kind, alone.error.reason) == (ErrorKind.INTERNAL, "MODEL_NOT_CONFIGURED")


@pytest.mark.parametrize("form", AudioFormat)
def test_a_prepared_file_is_what_was_asked_for_when_it_is_measured_again(made, tmp_path, form):
    wanted = PrepareOptions(
        format=form, sample_rate_hz=22_050, loudness_lufs=-20.0, true_peak_ceiling_dbtp=-1.0,
        trim_silence=True, mono=True, bits=16,
    )  # fmt: skip
    job, result, files = made("prepare", options=Options(prepare=wanted))
    assert job.state is JobState.SUCCEEDED, job.error
    assert [*files] == [f"prepared.{form.value}"]
    path = tmp_path / f"again.{form.value}"
    path.write_bytes(files[f"prepared.{form.value}"])
    again, said = analyze(path, [Feature.LOUDNESS, Feature.MEDIA]), result["prepare"]
    assert again.loudness.integrated_lufs == pytest.approx(-20.0, abs=0.1)
    assert again.loudness.integrated_lufs == pytest.approx(said["integrated_lufs"], abs=0.01)
    assert again.loudness.true_peak_dbtp == pytest.approx(said["true_peak_dbtp"], abs=0.01)
    assert again.media.duration_s == pytest.approx(said["duration_s"], abs=1e-9)
    assert (again.media.sample_rate_hz, again.media.channels) == (22_050, 1)
    whole = decoded(made.source).shape[1] / 48_000
    cut = said["trimmed_start_s"] + said["trimmed_end_s"]
    assert said["duration_s"] + cut == pytest.approx(whole, abs=1e-3)
    assert (said["bits"], said["held_by_ceiling"]) == (16, False)


def test_files_beyond_what_is_left_of_the_owners_bytes_are_refused_and_nothing_is_kept(made):
    job, result, files = made("media", "stems", "prepare", quota_stored_bytes="100k")
    assert job.state is JobState.SUCCEEDED
    assert [(one["feature"], one["reason"]) for one in result["errors"]] == [
        ("FEATURE_STEMS", "QUOTA_EXCEEDED"),
        ("FEATURE_PREPARE", "QUOTA_EXCEEDED"),
    ]
    assert "left of what the owner" in result["errors"][0]["message"]
    assert files == {}
    assert kept(made) == []


@pytest.mark.parametrize("feature", ["stems", "prepare"])
def test_a_job_that_is_cancelled_while_it_makes_files_leaves_none(made, monkeypatch, feature):
    report = ProgressReporter.report

    def cancelled(self, stage, fraction, message):
        if stage == feature and message:
            with TASK.database.write() as c:
                (job,) = queries.list_jobs(c, queries.JobFilter(), owner="local", limit=1)
                cancellation.cancel_job(c, job.job_id, owner="local", now=clock.now(c))
            raise Cancelled
        report(self, stage, fraction, message)

    monkeypatch.setattr(ProgressReporter, "report", cancelled)
    job, _, files = made(feature)
    assert job.state is JobState.CANCELLED
    assert files == {}
    assert kept(made) == []


def test_temporary_files_have_no_names(made, monkeypatch, tmp_path):
    """So that a process that is killed leaves none behind."""
    monkeypatch.setenv("TMPDIR", str(tmp_path / "root"))
    monkeypatch.setattr("tempfile.tempdir", None)
    seen = []
    report = ProgressReporter.report

    def looking(self, *tick):
        seen.extend(one.name for one in (tmp_path / "root").iterdir())
        report(self, *tick)

    monkeypatch.setattr(ProgressReporter, "report", looking)
    made("stems", "prepare")
    assert gettempdir() == str(tmp_path / "root")
    assert set(seen) == {"piece.mp3"}


def test_pictures_of_a_real_recording_are_artifacts_that_the_result_lists(made):
    look = PicturesOptions(width=640, height=240, theme=PictureTheme.LIGHT, scale=2)
    job, result, files = made("pictures", options=Options(pictures=look))
    assert job.state is JobState.SUCCEEDED, job.error
    assert set(result) == {"pictures"}  # what they need is computed, and not given unasked
    listed = {one["artifact_name"]: one for one in result["pictures"]["pictures"]}
    named = ["waveform", "mel-spectrogram", "chromagram", "tempogram", "loudness"]
    assert list(listed) == [*(f"{name}.png" for name in named), "peaks.json", "peaks.dat"]
    assert set(files) == set(listed)
    for name in named:
        image = Image.open(io.BytesIO(files[f"{name}.png"]))
        image.load()
        assert image.size == (1280, 480)
        assert listed[f"{name}.png"]["kind"] == f"KIND_{name.upper().replace('-', '_')}"


def test_the_pictures_that_are_asked_for_are_made_alone(made):
    some = PicturesOptions(kinds=(PictureKind.LOUDNESS,))
    _, result, files = made("pictures", "loudness", options=Options(pictures=some))
    assert set(files) == {"loudness.png"}
    assert set(result) == {"loudness", "pictures"}
