"""What the server refuses arrives as the client's own error, with reason, words and details."""

import pickle
from typing import Any

import grpc
import pytest

from harken.client import Job, JobError, JobFailed, JobState, errors
from harken.client.status import error_from_status
from tests.client.scripted_server import Refusal

TABLE = {
    grpc.StatusCode.INVALID_ARGUMENT: errors.InvalidRequest,
    grpc.StatusCode.NOT_FOUND: errors.NotFound,
    grpc.StatusCode.PERMISSION_DENIED: errors.PermissionDenied,
    grpc.StatusCode.UNAUTHENTICATED: errors.NotAuthenticated,
    grpc.StatusCode.ALREADY_EXISTS: errors.AlreadyExists,
    grpc.StatusCode.OUT_OF_RANGE: errors.ResumeTokenRejected,
    grpc.StatusCode.RESOURCE_EXHAUSTED: errors.LimitExceeded,
    grpc.StatusCode.FAILED_PRECONDITION: errors.RequestRefused,
    grpc.StatusCode.UNIMPLEMENTED: errors.NotSupported,
    grpc.StatusCode.UNAVAILABLE: errors.ServerUnavailable,
    grpc.StatusCode.CANCELLED: errors.ServerUnavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: errors.DeadlineExceeded,
    grpc.StatusCode.INTERNAL: errors.ServerError,
    grpc.StatusCode.UNKNOWN: errors.ServerError,
    grpc.StatusCode.ABORTED: errors.Aborted,
    grpc.StatusCode.DATA_LOSS: errors.ServerError,
}


def _error(refusal: Refusal) -> errors.HarkenError:
    return error_from_status(refusal.code, refusal.message, refusal.trailing(), "there:1")


@pytest.mark.parametrize(
    "code",
    [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK],
    ids=lambda c: c.name,
)
def test_each_status_has_its_error_and_the_docstring_says_so(code: grpc.StatusCode) -> None:
    error = _error(Refusal(code, "The words.", "SOME_REASON", metadata={"path": "/a"}))
    assert type(error) is TABLE[code]
    assert (error.message, error.reason, error.metadata) == (
        "The words.",
        "SOME_REASON",
        {"path": "/a"},
    )
    assert str(error) == "The words."
    if TABLE[code] is not errors.ServerError:
        assert code.name in (errors.__doc__ or "")


@pytest.mark.parametrize(
    "kind",
    [v for v in vars(errors).values() if isinstance(v, type) and issubclass(v, errors.HarkenError)],
)
def test_every_error_stands_in_the_tree_and_survives_pickle(kind: Any) -> None:
    if not kind.__name__.startswith("_"):
        assert kind.__name__ in (errors.__doc__ or "")
    if not hasattr(kind(Job() if "Job" in kind.__name__ else "words"), "job"):
        error = kind("words", reason="R", metadata={"a": "b"})
        again = pickle.loads(pickle.dumps(error))
        assert (again.message, again.reason, again.metadata) == ("words", "R", {"a": "b"})


def test_a_path_outside_the_media_roots_has_an_error_of_its_own() -> None:
    error = _error(Refusal(grpc.StatusCode.PERMISSION_DENIED, "no", "SOURCE_OUTSIDE_ROOTS"))
    assert type(error) is errors.OutsideRoots


def test_a_malformed_request_names_its_fields() -> None:
    refusal = Refusal(
        grpc.StatusCode.INVALID_ARGUMENT,
        "no",
        "INVALID",
        violations=[("labels", "too many"), ("priority", "9")],
    )
    error = _error(refusal)
    assert isinstance(error, errors.InvalidRequest)
    assert [(v.field, v.description) for v in error.field_violations] == [
        ("labels", "too many"),
        ("priority", "9"),
    ]


def test_details_of_somebody_else_on_the_way_are_not_taken_for_harkens() -> None:
    error = _error(
        Refusal(grpc.StatusCode.UNAVAILABLE, "proxy", "PROXY_DOWN", domain="mesh.example")
    )
    assert isinstance(error, errors.ServerUnavailable)
    assert error.reason == ""
    assert not error.answered


def test_details_that_cannot_be_read_do_not_hide_the_error() -> None:
    trailing = (("grpc-status-details-bin", b"\xff\xff\xff"),)
    error = error_from_status(grpc.StatusCode.NOT_FOUND, "gone", trailing, "there:1")
    assert isinstance(error, errors.NotFound)
    assert error.message == "gone"


def test_nobody_there_is_said_with_the_address() -> None:
    error = error_from_status(grpc.StatusCode.UNAVAILABLE, "refused", None, "there:1")
    assert error.message.startswith("No harken server answers at there:1.")


def test_a_server_that_says_itself_that_it_goes_away_has_answered() -> None:
    error = _error(Refusal(grpc.StatusCode.UNAVAILABLE, "Going away.", "SERVER_STOPPING"))
    assert isinstance(error, errors.ServerUnavailable)
    assert error.answered
    assert error.message == "Going away."


def test_a_failed_jobs_error_carries_the_job() -> None:
    job = Job(
        job_id="x",
        state=JobState.FAILED,
        error=JobError(reason="EMPTY_FILE", message="It is empty."),
    )
    error: Any = pickle.loads(pickle.dumps(JobFailed(job)))
    assert (error.job, error.reason) == (job, "EMPTY_FILE")
    assert str(error) == "Job x: It is empty."
