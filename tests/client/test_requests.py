"""What one writes in Python arrives at the server as it was meant; what cannot be meant is said at once."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from harken.client import BatchItem, Feature, InvalidRequest, Job, JobState, Source
from harken.client.batch_request import submit_batch
from harken.client.channel import options_for, target_from
from harken.client.requests import job_id_of, list_jobs, source_message, submit_analysis
from harken.v1 import feature_pb2, job_pb2
from harken.v1 import job_service_pb2 as pb

BAD_NAME = os.fsdecode(b"/music/\xff.wav")
"""A file name that is not UTF-8, as older systems left them."""


def test_a_text_is_a_path_as_the_server_sees_it() -> None:
    assert source_message("albums/song.flac").path == "albums/song.flac"
    assert source_message(Source(path="/music/song.flac")).path == "/music/song.flac"


def test_a_pathlib_path_is_a_file_of_this_machine_and_links_are_left_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.chdir(tmp_path)
    assert source_message(Path("link/../link/song.flac")).path == str(tmp_path / "link/song.flac")


@pytest.mark.parametrize(
    "features",
    ["rhythm,loudness", ["rhythm", "loudness"], (Feature.RHYTHM, "LOUDNESS"), " Rhythm, loudness"],
)
def test_features_may_be_members_or_texts(features: Any) -> None:
    request = submit_analysis("a.wav", features=features)
    assert list(request.features) == [feature_pb2.FEATURE_RHYTHM, feature_pb2.FEATURE_LOUDNESS]


def test_every_submit_can_be_repeated_safely_because_it_has_a_request_id() -> None:
    one, other = submit_analysis("a.wav"), submit_analysis("a.wav")
    assert UUID(one.request_id).version == 4
    assert one.request_id != other.request_id
    mine = uuid4()
    assert submit_analysis("a.wav", request_id=mine).request_id == str(mine)
    assert UUID(submit_batch(["a.wav"]).message.request_id)


@pytest.mark.parametrize("given", [90, 90.0, timedelta(seconds=90)])
def test_a_length_of_time_is_given_in_seconds_or_as_timedelta(given: float | timedelta) -> None:
    one = submit_analysis("a.wav", schedule_timeout=given, run_timeout=given)
    many = submit_batch(["a.wav"], schedule_timeout=given, run_timeout=given).message
    for request in (one, many):
        assert request.schedule_timeout.ToTimedelta() == timedelta(seconds=90)
        assert request.run_timeout.ToTimedelta() == timedelta(seconds=90)


def test_what_was_not_asked_for_is_left_to_the_server() -> None:
    request = submit_analysis("a.wav")
    assert not request.HasField("schedule_timeout")
    assert not request.HasField("priority")
    assert not request.HasField("run_timeout")
    assert (list(request.features), dict(request.labels)) == ([], {})


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"features": ["tempo"]}, "UNKNOWN_FEATURE"),
        ({"features": "unknown"}, "UNKNOWN_FEATURE"),
        ({"priority": 2**40}, "MALFORMED_FIELD"),
        ({"schedule_timeout": float("nan")}, "MALFORMED_FIELD"),
        ({"schedule_timeout": 1e300}, "MALFORMED_FIELD"),
        ({"schedule_timeout": "10m"}, "MALFORMED_FIELD"),
        ({"run_timeout": "soon"}, "MALFORMED_FIELD"),
        ({"run_timeout": float("nan")}, "MALFORMED_FIELD"),
        ({"run_timeout": 1e300}, "MALFORMED_FIELD"),
        ({"labels": {"a": 1}}, "MALFORMED_FIELD"),
        ({"labels": {"a": "\udcff"}}, "MALFORMED_FIELD"),
        ({"source": BAD_NAME}, "PATH_NOT_UTF8"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_the_call(wrong: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        submit_analysis(**{"source": "a.wav", **wrong})
    assert caught.value.reason == reason


def test_a_wrong_feature_is_answered_with_the_right_ones() -> None:
    with pytest.raises(InvalidRequest, match=r"no feature 'tempo'.*rhythm, tonal"):
        submit_analysis("a.wav", features=["tempo"])


def test_a_file_that_cannot_be_sent_stops_none_of_the_others() -> None:
    request = submit_batch(
        ["a.wav", BAD_NAME, BatchItem(source="b.wav", features=["media"]), "c.wav"]
    )
    assert [item.source.path for item in request.message.items] == ["a.wav", "b.wav", "c.wav"]
    batch, failed = request.outcome(
        pb.SubmitBatchResponse(
            batch={"batch_id": "b", "total": 2},
            failed_items=[pb.FailedItem(index=2, reason="SOURCE_NOT_FOUND", message="gone")],
        )
    )
    assert batch.total == 2
    assert [(item.index, item.reason) for item in failed] == [
        (1, "PATH_NOT_UTF8"),
        (3, "SOURCE_NOT_FOUND"),
    ]


def test_a_batch_of_nothing_that_can_be_sent_is_an_error() -> None:
    with pytest.raises(InvalidRequest, match="None of the 1 items"):
        submit_batch([BAD_NAME])


def test_labels_of_the_batch_are_put_on_every_file_below_its_own() -> None:
    item = BatchItem(source="b.wav", labels={"take": "2"})
    request = submit_batch(["a.wav", item], labels={"take": "1", "album": "x"})
    assert [dict(one.labels) for one in request.message.items] == [
        {"take": "1", "album": "x"},
        {"take": "2", "album": "x"},
    ]


def test_jobs_are_named_by_id_uuid_or_value() -> None:
    identifier = uuid4()
    for name in (identifier, str(identifier), Job(job_id=str(identifier))):
        assert job_id_of(name) == str(identifier)


def test_lists_are_filtered_by_states_in_any_spelling() -> None:
    request = list_jobs(states=["failed", JobState.CANCELLED], page_size=5000)
    assert list(request.states) == [job_pb2.JOB_STATE_FAILED, job_pb2.JOB_STATE_CANCELLED]
    assert request.page_size == 1000


def test_the_server_is_the_one_given_else_that_of_the_environment_else_this_machine() -> None:
    environment = {"HARKEN_SERVER": "there:2"}
    assert target_from("here:1", environment) == "here:1"
    assert target_from(None, environment) == "there:2"
    assert target_from(None, {}) == target_from("", {"HARKEN_SERVER": ""}) == "127.0.0.1:50051"


@pytest.mark.parametrize(
    ("target", "through_proxy"),
    [("127.0.0.1:50051", False), ("unix:/run/h", False), ("localhost:1", False), ("there:1", True)],
)
def test_a_server_on_this_machine_is_not_sought_through_the_proxy(
    target: str, through_proxy: bool
) -> None:
    assert (("grpc.enable_http_proxy", 0) in options_for(target)) is not through_proxy
