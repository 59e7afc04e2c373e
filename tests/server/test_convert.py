"""Values of the domain as messages: nothing is lost, and both sides know the same names."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harken.audio import Feature as AudioFeature
from harken.jobs.job import NO_SOURCE, ErrorKind, Job, JobError, JobKind, Source, Transition
from harken.jobs.queueing.workers import WorkerStatus
from harken.jobs.state import JobState
from harken.server import convert
from harken.server.progress.ticks import Tick
from harken.v1 import feature_pb2, job_pb2, worker_pb2

times = st.datetimes(
    min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC)
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
errors = st.builds(JobError, kind=st.sampled_from(ErrorKind), reason=texts, message=texts)
jobs = st.builds(
    Job,
    job_id=st.uuids().map(str),
    owner=st.just("local"),
    batch_id=st.none() | st.uuids().map(str),
    state=st.sampled_from(JobState),
    revision=st.integers(1, 1000),
    attempt=st.integers(0, 100),
    crashes=st.integers(0, 3),
    retries=st.integers(0, 3),
    priority=st.integers(0, 9),
    queue=st.just("audio_processing"),
    source=st.just(NO_SOURCE) | st.builds(Source, kind=st.just("path"), value=texts),
    features=st.lists(st.sampled_from([feature.value for feature in AudioFeature])).map(tuple),
    labels=st.dictionaries(texts, texts, max_size=3),
    error=st.none() | errors,
    worker=st.none() | texts,
    create_time=times,
    start_time=st.none() | times,
    end_time=st.none() | times,
    stopped_time=st.none() | times,
    schedule_deadline=st.none() | times,
    kind=st.sampled_from(JobKind),
    run_timeout=st.none() | st.timedeltas(timedelta(microseconds=1), timedelta(days=1)),
)


@given(jobs)
def test_a_job_says_in_its_message_what_it_is(job: Job) -> None:
    message = convert.job_message(job)

    assert message.job_id == job.job_id
    assert (message.batch_id if message.HasField("batch_id") else None) == job.batch_id
    assert convert.state_of(message.state) is job.state
    assert (message.revision, message.attempt, message.priority) == (
        job.revision,
        job.attempt,
        job.priority,
    )
    assert message.source.path == job.source.value
    assert message.HasField("source") == (job.source != NO_SOURCE)
    assert convert.job_kind_of(message.kind) is job.kind
    assert tuple(map(convert.feature_name, message.features)) == job.features
    assert dict(message.labels) == job.labels
    assert message.HasField("error") == (job.error is not None)
    if job.error is not None:
        kind = job_pb2.JobError.Kind.Name(message.error.kind).removeprefix("KIND_")
        assert (kind, message.error.reason) == (job.error.kind.value, job.error.reason)
    assert message.HasField("run_timeout") == (job.run_timeout is not None)
    if job.run_timeout is not None:
        assert message.run_timeout.ToTimedelta() == job.run_timeout
    for name in ("create_time", "start_time", "end_time", "stopped_time"):
        value = getattr(job, name)
        assert message.HasField(name) == (value is not None)
        if value is not None:
            assert getattr(message, name).ToDatetime(tzinfo=UTC) == value
    assert message.HasField("schedule_timeout") == (job.schedule_deadline is not None)
    if job.schedule_deadline is not None:
        allowed = message.schedule_timeout.ToTimedelta()
        assert job.create_time + allowed == job.schedule_deadline


@given(jobs, st.integers(0, 100))
def test_progress_is_shown_of_the_attempt_that_runs_only(job: Job, attempt: int) -> None:
    tick = Tick(
        attempt=attempt, seq=1, stage="decode", fraction=0.5, message="half", time=datetime.now(UTC)
    )

    message = convert.job_message(job, tick=tick)

    running = job.state in (JobState.RUNNING, JobState.CANCELLING)
    assert message.HasField("progress") == (running and attempt == job.attempt)


@given(st.none() | st.sampled_from(JobState), st.sampled_from(JobState), st.none() | errors, times)
def test_a_transition_says_from_where_to_where_and_why(
    before: JobState | None, after: JobState, error: JobError | None, time: datetime
) -> None:
    transition = Transition(
        position=1,
        job_id="j",
        batch_id=None,
        revision=4,
        attempt=2,
        before=before,
        after=after,
        error=error,
        time=time,
    )

    event = convert.transition_event(transition)

    assert (event.revision, event.attempt) == (4, 2)
    assert convert.state_of(event.transition.to) is after
    assert getattr(event.transition, "from") == convert.state_number(before)
    assert event.transition.HasField("error") == (error is not None)


def test_engine_contract_and_domain_know_the_same_names() -> None:
    features = {convert.feature_name(number) for number in feature_pb2.Feature.values() if number}
    assert features == {feature.value for feature in AudioFeature}
    states = set(job_pb2.JobState.keys()) - {"JOB_STATE_UNSPECIFIED"}
    assert states == {f"JOB_STATE_{state.value}" for state in JobState}
    kinds = set(job_pb2.JobError.Kind.keys()) - {"KIND_UNSPECIFIED"}
    assert kinds == {f"KIND_{kind.value}" for kind in ErrorKind}
    statuses = set(worker_pb2.Worker.Status.keys()) - {"STATUS_UNSPECIFIED"}
    assert statuses == {f"STATUS_{status.value}" for status in WorkerStatus}


def test_a_result_keeps_what_is_unset_unset() -> None:
    message = convert.result_message({"loudness": {"rms_dbfs": -3.0}, "rhythm": {}})

    assert message.loudness.rms_dbfs == -3.0
    assert not message.loudness.HasField("integrated_lufs")
    assert message.HasField("rhythm")
    assert not message.rhythm.HasField("tempo_bpm")
    assert not message.HasField("tonal")


def test_what_a_newer_engine_wrote_does_not_hide_the_rest() -> None:
    message = convert.result_message({"media": {"duration_s": 1.0}, "stems": {"count": 4}})

    assert message.media.duration_s == 1.0


@pytest.mark.parametrize("length", [timedelta(0), timedelta(microseconds=1), timedelta(days=400)])
def test_a_length_of_time_is_kept_to_the_microsecond(length: timedelta) -> None:
    message = convert.duration(length)

    assert message is not None
    assert message.ToTimedelta() == length
