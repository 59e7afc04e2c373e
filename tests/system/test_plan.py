"""Features of a job that fail alone, and options, through the real server, broker, worker and database."""

import grpc
import pytest

from harken.client import Feature, JobState, Options, StemKind, StemsOptions
from harken.v1 import options_pb2 as pb
from harken.v1.feature_pb2 import FEATURE_ENVELOPE, FEATURE_MEDIA, FEATURE_PITCH, FEATURE_STEMS
from tests.system.conftest import SUCCEEDED, System

# These workers are set up without a model.
MODEL = pb.Options(stems=pb.StemsOptions(kinds=[pb.StemsOptions.KIND_MODEL]))


def test_what_fails_alone_leaves_the_others_and_says_why(system: System) -> None:
    wanted = [FEATURE_MEDIA, FEATURE_PITCH, FEATURE_ENVELOPE, FEATURE_STEMS]
    job = system.submit("piece.flac", features=wanted, options=MODEL)
    assert list(job.features) == wanted
    assert job.options == MODEL

    seen = system.follow(job.job_id)

    done = system.get(job.job_id)
    assert done.state == SUCCEEDED
    assert done.options == MODEL
    groups = {field.name for field, _ in done.result.ListFields()}
    assert groups == {"media", "pitch", "envelope", "errors"}
    assert 0 < done.result.pitch.voiced_share <= 1
    assert done.result.envelope.peak_s > 0
    (failed,) = done.result.errors
    assert failed.feature == FEATURE_STEMS
    assert failed.reason
    assert failed.message
    assert not done.artifacts
    ticks = [e.progress.fraction for m in seen for e in m.events.events if e.HasField("progress")]
    assert ticks == sorted(ticks)


def test_the_client_shows_a_partial_result(system: System) -> None:
    options = Options(stems=StemsOptions(kinds=(StemKind.MODEL,)))
    handle = system.client.submit(
        "piece.mp3", features=["pitch", "stems"], options=options, skip_cache=True
    )
    done = handle.wait()
    assert done.state is JobState.SUCCEEDED
    assert done.options == options
    assert done.result is not None
    assert done.result.pitch is not None
    assert [error.feature for error in done.result.errors] == [Feature.STEMS]


def test_a_partial_result_is_not_taken_for_an_unchanged_file(system: System) -> None:
    fields = {"features": [FEATURE_PITCH, FEATURE_STEMS], "options": MODEL, "skip_cache": False}
    for _ in range(2):
        job = system.submit("piece.flac", **fields)
        system.follow(job.job_id)
        done = system.get(job.job_id)
        assert done.result.errors
        assert not done.cached_result


def test_nothing_but_a_failure_fails_the_job(system: System) -> None:
    job = system.submit("piece.flac", features=[FEATURE_STEMS], options=MODEL)
    system.follow(job.job_id)
    done = system.get(job.job_id)
    assert not done.HasField("result")
    assert done.error.reason


def test_options_without_their_feature_are_refused_with_the_field(system: System) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        system.submit("piece.flac", features=[FEATURE_PITCH], options=MODEL)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "options.stems" in str(refused.value.details())
