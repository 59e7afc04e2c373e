"""What the server refuses: each with the right code, a reason for programs, and a sentence for people."""

import os
import uuid
from datetime import timedelta
from pathlib import Path

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.json_format import MessageToDict
from google.rpc import error_details_pb2, status_pb2

from harken.v1.job_service_pb2 import (
    CancelJobRequest,
    GetJobRequest,
    ListJobsRequest,
    SubmitAnalysisRequest,
    SubmitBatchRequest,
)
from harken.v1.source_pb2 import Source
from tests.system.conftest import System

DETAILS = {
    message.DESCRIPTOR.full_name: message
    for message in (
        error_details_pb2.ErrorInfo,
        error_details_pb2.BadRequest,
        error_details_pb2.ResourceInfo,
    )
}


def details(error: grpc.RpcError) -> dict:
    """The details of a refusal by their names; its code has to be the status's, too."""
    packed = dict(error.trailing_metadata())["grpc-status-details-bin"]
    status = status_pb2.Status.FromString(packed)
    assert status.code == error.code().value[0]
    assert status.message == error.details()
    found = {}
    for any_ in status.details:
        name = any_.type_url.rpartition("/")[2]
        message = DETAILS[name]()
        any_.Unpack(message)
        found[name.rpartition(".")[2]] = MessageToDict(message)
    return found


def refused(call, request) -> tuple[grpc.StatusCode, str, dict]:  # a stub's method
    """How the call is refused: its code, its reason, all its details."""
    with pytest.raises(grpc.RpcError) as caught:
        call(request)
    found = details(caught.value)
    assert found["ErrorInfo"]["domain"] == "harken"
    assert len(caught.value.details()) > 20
    return caught.value.code(), found["ErrorInfo"]["reason"], found


def submit(system: System, path: str = "piece.mp3", **fields: object):
    """How a submit is refused."""
    request = SubmitAnalysisRequest(source=Source(path=path), **fields)
    return refused(system.jobs.SubmitAnalysis, request)


def test_a_file_that_is_not_there_is_not_found(system: System) -> None:
    code, reason, found = submit(system, "no-such-file.mp3")

    assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "SOURCE_NOT_FOUND")
    assert found["ResourceInfo"]["resourceName"] == "no-such-file.mp3"


@pytest.mark.parametrize("path", ["../secret.wav", "/etc/passwd", "/etc/no-such-file", "link.wav"])
def test_a_path_out_of_the_roots_is_denied_whether_it_exists_or_not(
    system: System, media: Path, path: str
) -> None:
    if path == "link.wav" and not (media / path).is_symlink():
        (media / path).symlink_to("/etc/passwd")

    code, reason, _ = submit(system, path)

    assert (code, reason) == (grpc.StatusCode.PERMISSION_DENIED, "SOURCE_OUTSIDE_ROOTS")


def test_a_folder_and_a_pipe_are_no_files(system: System, media: Path) -> None:
    if not (media / "pipe.wav").exists():
        os.mkfifo(media / "pipe.wav")

    assert submit(system, ".")[:2] == (grpc.StatusCode.INVALID_ARGUMENT, "SOURCE_NOT_A_FILE")
    assert submit(system, "pipe.wav")[1] == "SOURCE_NOT_A_FILE"


def test_all_that_is_wrong_with_a_request_is_named_at_once(system: System) -> None:
    code, _, found = submit(
        system, "", request_id="42", features=[99], priority=10, labels={"": "x", "k": "v" * 256}
    )

    assert code is grpc.StatusCode.INVALID_ARGUMENT
    fields = {violation["field"] for violation in found["BadRequest"]["fieldViolations"]}
    assert fields == {
        "request_id",
        "source",
        "features[0]",
        "priority",
        "labels['']",
        "labels['k']",
    }


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"path": ""}, "NO_SOURCE"),
        ({"path": "x" * 4097}, "PATH_TOO_LONG"),
        ({"features": [0]}, "UNKNOWN_FEATURE"),
        ({"features": [1, 99]}, "UNKNOWN_FEATURE"),
        ({"priority": -1}, "PRIORITY_OUT_OF_RANGE"),
        ({"run_timeout": timedelta(0)}, "RUN_TIMEOUT_OUT_OF_RANGE"),
        ({"run_timeout": timedelta(seconds=-1)}, "RUN_TIMEOUT_OUT_OF_RANGE"),
        ({"run_timeout": timedelta(seconds=3600, microseconds=1)}, "RUN_TIMEOUT_OUT_OF_RANGE"),
        ({"run_timeout": Duration(seconds=315_576_000_000)}, "RUN_TIMEOUT_OUT_OF_RANGE"),
        ({"request_id": ""}, "MALFORMED_ID"),
        ({"request_id": "0197C0DE000070008000000000000000"}, "MALFORMED_ID"),
        ({"labels": {str(number): "" for number in range(65)}}, "TOO_MANY_LABELS"),
        ({"labels": {"k": "a\0b"}}, "LABEL_NUL"),
        ({"schedule_timeout": Duration()}, "SCHEDULE_TIMEOUT_OUT_OF_RANGE"),
        ({"schedule_timeout": Duration(nanos=999_000_000)}, "SCHEDULE_TIMEOUT_OUT_OF_RANGE"),
        ({"schedule_timeout": Duration(seconds=-60)}, "SCHEDULE_TIMEOUT_OUT_OF_RANGE"),
        ({"schedule_timeout": Duration(seconds=2**62)}, "SCHEDULE_TIMEOUT_OUT_OF_RANGE"),
    ],
)
def test_a_malformed_field_has_its_own_reason(system: System, fields: dict, reason: str) -> None:
    code, found, _ = submit(system, **fields)

    assert (code, found) == (grpc.StatusCode.INVALID_ARGUMENT, reason)


def test_however_much_is_wrong_the_answer_says_what(system: System) -> None:
    """Details travel in metadata, of which gRPC refuses more than 8 KiB: at first only now and then."""
    long = "/".join("ü" * 1300)
    for _ in range(20):
        assert submit(system, long)[1] == "SOURCE_NOT_FOUND"
        assert submit(system, "../" + long)[1] == "SOURCE_OUTSIDE_ROOTS"
        assert submit(system, features=[99] * 5000)[1] == "UNKNOWN_FEATURE"
        labels = {f"{'ü' * 70}{number}": "v" * 3000 for number in range(50)}
        assert submit(system, labels=labels)[1] == "LABEL_KEY_LENGTH"


@pytest.mark.parametrize("path", ["a\0b.wav", "x" * 3000, "/".join("x" * 2000)])
def test_a_path_that_no_file_can_have_is_not_found(system: System, path: str) -> None:
    assert submit(system, path)[0] is grpc.StatusCode.NOT_FOUND


def test_no_source_at_all_is_refused(system: System) -> None:
    found = refused(system.jobs.SubmitAnalysis, SubmitAnalysisRequest())

    assert found[:2] == (grpc.StatusCode.INVALID_ARGUMENT, "NO_SOURCE")


def test_an_empty_batch_is_refused(system: System) -> None:
    found = refused(system.jobs.SubmitBatch, SubmitBatchRequest())

    assert found[:2] == (grpc.StatusCode.INVALID_ARGUMENT, "NO_ITEMS")


def test_a_request_id_with_another_payload_is_refused_and_names_its_job(system: System) -> None:
    request_id = str(uuid.uuid4())
    made = system.submit("piece.mp3", request_id=request_id)
    again = system.submit("piece.mp3", request_id=request_id)

    code, reason, found = submit(system, "piece.flac", request_id=request_id)

    assert again.job_id == made.job_id
    assert (code, reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")
    assert made.job_id in found["ErrorInfo"]["metadata"]["made"]
    system.follow(made.job_id)


def test_unknown_and_malformed_ids_are_told_apart(system: System) -> None:
    unknown = str(uuid.uuid4())
    for call, request in (
        (system.jobs.GetJob, GetJobRequest),
        (system.jobs.CancelJob, CancelJobRequest),
    ):
        assert refused(call, request(job_id=unknown))[:2] == (
            grpc.StatusCode.NOT_FOUND,
            "JOB_NOT_FOUND",
        )
        for malformed in ("", "42", unknown[:-1], f"{{{unknown}}}", "x" * 100_000):
            assert refused(call, request(job_id=malformed))[:2] == (
                grpc.StatusCode.INVALID_ARGUMENT,
                "MALFORMED_ID",
            )


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"page_size": -1}, "NEGATIVE_PAGE_SIZE"),
        ({"page_token": "nonsense"}, "INVALID_TOKEN"),
        ({"batch_id": "42"}, "MALFORMED_ID"),
        ({"states": [0]}, "UNKNOWN_STATE"),
        ({"states": [99]}, "UNKNOWN_STATE"),
    ],
)
def test_a_malformed_list_request_is_refused(system: System, fields: dict, reason: str) -> None:
    found = refused(system.jobs.ListJobs, ListJobsRequest(**fields))

    assert found[:2] == (grpc.StatusCode.INVALID_ARGUMENT, reason)


def test_a_page_is_never_over_its_cap(system: System) -> None:
    jobs = system.jobs.ListJobs(ListJobsRequest(page_size=2_000_000)).jobs

    assert len(jobs) <= 1_000


def test_a_message_over_the_limit_is_refused_and_the_server_serves_on(system: System) -> None:
    huge = SubmitAnalysisRequest(source=Source(path="x" * 40_000_000))

    with pytest.raises(grpc.RpcError) as caught:
        system.jobs.SubmitAnalysis(huge)

    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    system.follow(system.submit("piece.mp3").job_id)


def test_an_rpc_that_does_not_exist_is_unimplemented(system: System) -> None:
    with grpc.insecure_channel(system.address) as channel:
        call = channel.unary_unary("/harken.v1.JobService/NoSuchCall")
        with pytest.raises(grpc.RpcError) as caught:
            call(b"")

    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_bytes_that_are_no_message_do_the_server_no_harm(system: System) -> None:
    with grpc.insecure_channel(system.address) as channel:
        call = channel.unary_unary("/harken.v1.JobService/SubmitAnalysis")
        with pytest.raises(grpc.RpcError):
            call(b"\xff\xff\xff\xff")

    system.follow(system.submit("piece.mp3").job_id)
