"""A job's features are one plan: what fails alone leaves the others their results."""

import shutil
import signal
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from celery.exceptions import Ignore

from harken.audio import DEFAULT_FEATURES, Feature, InputError, Prepared, Stems
from harken.audio.analysis import Analysis, Hears
from harken.audio.result import Stem, StemKind
from harken.jobs import queries, submission
from harken.jobs.files import artifacts
from harken.jobs.job import ErrorKind, JobKind, NewJob, Source
from harken.jobs.options import Options, PrepareOptions
from harken.jobs.state import JobState
from harken.settings import Settings
from harken.tasks import known
from harken.tasks.attempt import TASKS
from harken.tasks.plan.plan import plan_of
from harken.tasks.plan.step import Step
from harken.tasks.plan.steps import STEPS
from harken.tasks.work import WorkFailed
from tests.tasks.conftest import close

TASK = TASKS[JobKind.ANALYSIS]
PARTS = ("stems", "prepare")


class Counted(Analysis):
    """Counts the samples that it hears."""

    hears = Hears.SOUND

    def __init__(self):
        self.samples = 0

    def on_sound(self, block):
        """Counts."""
        self.samples += block.samples.shape[1]

    def finish(self):
        """Nothing: the step asks."""
        return


class Parts(Step):
    """Hears the sound, and writes a file about it."""

    feature = Feature.STEMS

    def listener(self):
        """Counts the samples."""
        self.heard = Counted()
        return self.heard

    def run(self, groups, report):  # noqa: ARG002  # as steps are called
        """Writes them."""
        report(1.0, "")
        with self.bench.new_artifact(name="parts.txt", media_type="text/plain") as artifact:
            artifact.file.write(str(self.heard.samples).encode())
            self.bench.publish(artifact)
        stem = Stem(name="all", kind=StemKind.MODEL, artifact_name="parts.txt")
        return Stems(stems=(stem,))


class Preparing(Step):
    """Needs the loudness, and the options."""

    feature = Feature.PREPARE
    needs = (Feature.LOUDNESS, Feature.ONSETS)
    cost = 3.0

    def run(self, groups, report):
        """Takes four steps."""
        for done in range(4):
            report(done / 4, f"{done} of 4")
        wanted = self.bench.options.prepare or PrepareOptions()
        loudness = groups[Feature.LOUDNESS].integrated_lufs
        return Prepared(gain_db=(wanted.loudness_lufs or 0.0) - loudness)


@pytest.fixture
def steps(monkeypatch):
    """The two steps of these tests, in place of the real ones."""
    for step in (Parts, Preparing):
        monkeypatch.setitem(STEPS, step.feature, step)
    return STEPS


@pytest.fixture
def ticks():
    """What was reported."""
    return []


@pytest.fixture
def run(database_url, redis, media, tmp_path, monkeypatch, ticks):
    """Submits a job and runs it; returns it as it is then, its result, and its artifacts' names."""
    root = tmp_path / "root"
    root.mkdir()
    shutil.copy(media / "piece.mp3", root / "piece.mp3")
    monkeypatch.setattr(known, "SETTLED_NS", 0)
    settings = Settings(
        database_url=database_url,
        result_backend=redis,
        media_roots=(str(root),),
        max_retries=1,
        storage_url=(tmp_path / "storage").as_uri(),
    )
    monkeypatch.setattr(TASK, "settings", settings)
    monkeypatch.setattr(TASK, "update_state", lambda **_: None)
    monkeypatch.setattr(
        "harken.tasks.progress.ProgressReporter.report",
        lambda _, stage, fraction, message: ticks.append((stage, fraction, message)),
    )
    before = signal.getsignal(signal.SIGUSR1)
    close(TASK)

    def run(*features, options=None):
        new = NewJob(
            source=Source(kind="path", value="piece.mp3"),
            features=features,
            queue="default",
            spec=(options or Options()).to_spec(),
        )
        with TASK.database.write() as connection:
            job = submission.submit_job(connection, new, owner="local", now=datetime.now(UTC))
        with suppress(Ignore):  # where the job waits to be tried again
            TASK.run(job.job_id)
        with TASK.database.read() as connection:
            made = artifacts.of_job(connection, job.job_id, owner="local")
            return (
                queries.get_job(connection, job.job_id, owner="local"),
                queries.get_result(connection, job.job_id),
                [one.name for one in made],
            )

    yield run
    close(TASK)
    signal.signal(signal.SIGUSR1, before)


def failing(error, *, where="run"):
    """A step for stems that fails."""

    def fail(*_):
        raise error

    return type("Failing", (Parts,), {where: fail})


def test_a_plan_hears_what_steps_need_and_runs_them_behind_it(steps):
    plan = plan_of(["prepare", "media", "stems"], steps)
    assert plan.asked == (Feature.MEDIA, Feature.STEMS, Feature.PREPARE)
    assert plan.heard == (Feature.MEDIA, Feature.LOUDNESS, Feature.ONSETS)
    assert plan.steps == (Parts, Preparing)


def test_a_step_comes_behind_those_it_needs_however_they_are_named():
    class First(Parts):
        needs = (Feature.PREPARE,)

    table = {Feature.STEMS: First, Feature.PREPARE: Preparing}
    assert plan_of(["stems", "prepare"], table).steps == (Preparing, First)
    assert plan_of(["stems"], table).steps == (Preparing, First)


def test_a_step_comes_behind_those_it_uses_and_those_it_follows_where_they_are_asked_for():
    class First(Parts):
        uses = (Feature.PITCH,)
        after = ("prepare", "not-known-yet")

    table = {Feature.STEMS: First, Feature.PREPARE: Preparing}
    assert plan_of(["stems", "prepare"], table).steps == (Preparing, First)
    alone = plan_of(["stems"], table)
    assert (alone.heard, alone.steps) == ((Feature.PITCH,), (First,))


def test_steps_that_need_each_other_are_refused():
    class First(Parts):
        needs = (Feature.PREPARE,)

    class Second(Preparing):
        needs = (Feature.STEMS,)

    with pytest.raises(ValueError, match="stems → prepare → stems"):
        plan_of(["stems"], {Feature.STEMS: First, Feature.PREPARE: Second})


def test_a_feature_of_a_newer_server_is_left_to_a_newer_worker(run):
    with pytest.raises(WorkFailed, match="does not know smell") as failed:
        plan_of(["media", "smell"], STEPS)
    assert failed.value.error.kind is ErrorKind.TRANSIENT
    job, _, _ = run("media", "smell")
    assert (job.state, job.attempt, job.retries) == (JobState.QUEUED, 1, 1)


def test_the_default_features_need_no_steps():
    plan = plan_of([feature.value for feature in DEFAULT_FEATURES], STEPS)
    assert (plan.heard, plan.steps) == (DEFAULT_FEATURES, ())


def test_all_features_share_one_pass_and_options_reach_their_step(run, steps, ticks):
    options = Options(prepare=PrepareOptions(loudness_lufs=-10.0))
    job, result, made = run("loudness", "pitch", *PARTS, options=options)
    assert job.state is JobState.SUCCEEDED
    assert list(result) == ["loudness", "pitch", "stems", "prepare"]
    gain = -10.0 - result["loudness"]["integrated_lufs"]
    assert result["prepare"]["gain_db"] == pytest.approx(gain)
    assert made == ["parts.txt"]
    decoded = [message for stage, _, message in ticks if stage == "decode"]
    assert decoded.count(decoded[0]) == 1  # it was decoded from the start once
    fractions = [fraction for _, fraction, _ in ticks]
    assert fractions == sorted(fractions)
    # The pass is a quarter of this plan, by the costs of its steps.
    assert max(f for stage, f, _ in ticks if stage == "summary") == pytest.approx(0.25)
    assert ("prepare", pytest.approx(0.25 + 0.75 / 2), "2 of 4") in ticks


def test_what_only_a_step_needs_is_not_in_the_result(run, steps):
    _, result, _ = run("prepare")
    assert list(result) == ["prepare"]


@pytest.mark.parametrize("where", ["run", "listener"])
@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        (InputError("TOO_SHORT", "It is too short."), "KIND_INPUT", "TOO_SHORT"),
        (ValueError("a bug"), "KIND_INTERNAL", "UNEXPECTED_ERROR"),
    ],
)
def test_a_feature_that_fails_alone_leaves_a_partial_result(
    run, steps, monkeypatch, where, error, kind, reason
):
    monkeypatch.setitem(STEPS, Feature.STEMS, failing(error, where=where))
    job, result, made = run("media", *PARTS)
    assert job.state is JobState.SUCCEEDED
    assert list(result) == ["media", "prepare", "errors"]
    (failed,) = result["errors"]
    assert (failed["feature"], failed["kind"], failed["reason"]) == ("FEATURE_STEMS", kind, reason)
    assert made == []


def test_a_feature_of_the_engine_that_fails_leaves_the_others(run, monkeypatch):
    from harken.audio.onsets import OnsetTimes
    from harken.audio.spectral import SpectralShape

    def fail(*_):
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(OnsetTimes, "finish", fail)
    monkeypatch.setattr(SpectralShape, "on_spectrum", fail)
    _, result, _ = run("media", "spectral", "loudness", "onsets")
    assert [one["feature"] for one in result["errors"]] == ["FEATURE_SPECTRAL", "FEATURE_ONSETS"]
    assert list(result) == ["media", "loudness", "errors"]


def test_what_needs_a_failed_feature_fails_with_it_and_says_so(run, steps, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr("harken.audio.loudness.LoudnessMeter.finish", fail)
    _, result, _ = run("media", "prepare")
    (failed,) = result["errors"]
    assert failed["feature"] == "FEATURE_PREPARE"
    assert failed["message"].startswith("It needs loudness, which failed: ZeroDivisionError")


def test_a_job_fails_with_its_first_error_when_nothing_was_computed(run, steps, monkeypatch):
    error = InputError("TOO_SHORT", "It is too short.")
    monkeypatch.setitem(STEPS, Feature.STEMS, failing(error))
    job, result, _ = run("stems")
    assert (job.state, result) == (JobState.FAILED, None)
    assert (job.error.kind, job.error.reason) == (ErrorKind.INPUT, "TOO_SHORT")


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (OSError(5, "the disk"), JobState.QUEUED, "IO_ERROR"),
        (MemoryError(), JobState.FAILED, "OUT_OF_MEMORY"),
    ],
)
def test_a_fault_of_the_machine_is_no_features_own(run, steps, monkeypatch, error, state, reason):
    monkeypatch.setitem(STEPS, Feature.STEMS, failing(error))
    job, result, made = run("media", "stems")
    assert (job.state, job.error.reason, result, made) == (state, reason, None, [])


@pytest.mark.parametrize("where", ["run", "listener"])
def test_a_cancelled_job_has_no_partial_result(run, steps, monkeypatch, where):
    from harken.tasks.progress import Cancelled

    monkeypatch.setitem(STEPS, Feature.STEMS, failing(Cancelled(), where=where))
    _, result, _ = run("media", "stems")
    assert result is None


def test_a_partial_result_is_never_a_known_one(run, steps, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setitem(STEPS, Feature.STEMS, failing(ValueError("once")))
        run("media", "stems")
    job, result, made = run("media", "stems")
    assert job.cached_from is None
    assert (list(result), made) == (["media", "stems"], ["parts.txt"])


def test_a_known_result_comes_with_its_artifacts_and_for_the_same_options_alone(run, steps):
    louder = Options(prepare=PrepareOptions(loudness_lufs=-9.0))
    first, result, _ = run(*PARTS)
    again, same, made = run(*PARTS)
    other, different, _ = run(*PARTS, options=louder)
    assert (again.cached_from, same, made) == (first.job_id, result, ["parts.txt"])
    assert other.cached_from is None
    assert different["prepare"] != result["prepare"]


def test_a_feature_that_a_worker_lacks_is_said_to_be_missing(run, monkeypatch):
    monkeypatch.delitem(STEPS, Feature.STEMS, raising=False)
    _, result, _ = run("media", "stems")
    assert [one["reason"] for one in result["errors"]] == ["FEATURE_NOT_AVAILABLE"]
