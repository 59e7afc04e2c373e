"""The status of a failed RPC to the client's own error, by the table in `harken.client.errors`."""

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc import (  # pyright: ignore[reportMissingImports]  # no stubs, and protobuf's hide it
    error_details_pb2,
    status_pb2,
)

from harken.client import errors

ERROR_DOMAIN = "harken"
"""The domain of ErrorInfo whose reasons are harken's."""

DETAILS_KEY = "grpc-status-details-bin"
"""Trailing metadata in which gRPC carries google.rpc.Status."""

OUTSIDE_ROOTS = "SOURCE_OUTSIDE_ROOTS"
OFFSET_PAST_END = "OFFSET_PAST_END"

_CLASSES: Mapping[grpc.StatusCode, type[errors.HarkenError]] = {
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
    grpc.StatusCode.ABORTED: errors.Aborted,
    grpc.StatusCode.DEADLINE_EXCEEDED: errors.DeadlineExceeded,
}

M = TypeVar("M", bound=Message)


@contextmanager
def own_errors(target: str, is_closed: Callable[[], bool]) -> Generator[None]:
    """Around a call to the server at `target`: gRPC's errors leave as the client's own."""
    if is_closed():
        raise errors.ClientClosed("This client is closed.")
    try:
        yield
    except grpc.RpcError as failure:
        if is_closed():
            raise errors.ClientClosed("This client was closed during the call.") from failure
        raise error_of(failure, target) from failure


def error_of(failure: grpc.RpcError, target: str) -> errors.HarkenError:
    """The error that a failed call to the server at `target` raises."""
    # Every RpcError that a call raises is a grpc.Call too, as is AioRpcError; only the annotations
    # do not say so.
    call: Any = failure
    return error_from_status(call.code(), call.details() or "", call.trailing_metadata(), target)


def error_from_status(
    code: grpc.StatusCode,
    text: str,
    trailing_metadata: Iterable[tuple[str, str | bytes]] | None,
    target: str,
) -> errors.HarkenError:
    """The error that a status means; reason and metadata come from ErrorInfo."""
    details = _details(trailing_metadata)
    info = next(
        (i for i in _unpack(details, error_details_pb2.ErrorInfo) if i.domain == ERROR_DOMAIN),
        error_details_pb2.ErrorInfo(),
    )
    kind = _CLASSES.get(code, errors.ServerError)
    fields: dict[str, Any] = {"reason": info.reason, "metadata": info.metadata}
    if kind is errors.InvalidRequest:
        fields["field_violations"] = tuple(
            errors.FieldViolation(field=v.field, description=v.description, reason=v.reason)
            for bad in _unpack(details, error_details_pb2.BadRequest)
            for v in bad.field_violations
        )
    elif kind is errors.LimitExceeded:
        told = next(iter(_unpack(details, error_details_pb2.RetryInfo)), None)
        fields["retry_after"] = told.retry_delay.ToTimedelta().total_seconds() if told else None
    elif kind is errors.ServerUnavailable:
        fields["answered"] = bool(info.reason)
        if not info.reason:
            text = f"No harken server answers at {target}. ({text})"
    elif kind is errors.DeadlineExceeded and not info.reason:
        text = f"The server at {target} did not answer in time."
    elif info.reason == OUTSIDE_ROOTS:
        kind = errors.OutsideRoots
    elif info.reason == OFFSET_PAST_END:
        kind = errors.RequestRefused
    return kind(text or f"The server answered {code.name}.", **fields)


def _details(metadata: Iterable[tuple[str, str | bytes]] | None) -> Any:
    """google.rpc.Status of the trailing metadata; empty when there is none to be read."""
    for key, value in metadata or ():
        if key == DETAILS_KEY and isinstance(value, bytes):
            try:
                return status_pb2.Status.FromString(value)
            except DecodeError:
                break
    return status_pb2.Status()


def _unpack(status: Any, kind: type[M]) -> Iterable[M]:
    for detail in status.details:
        message = kind()
        try:
            if detail.Unpack(message):
                yield message
        except DecodeError:
            continue
