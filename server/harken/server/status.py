"""Errors as gRPC statuses with the details of AIP-193: the one place where both are known."""

from collections.abc import Mapping
from datetime import timedelta

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError, Message
from google.rpc import code_pb2, status_pb2
from google.rpc.error_details_pb2 import (
    BadRequest,
    ErrorInfo,
    QuotaFailure,
    ResourceInfo,
    RetryInfo,
)
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from harken.jobs.errors import (
    ActionNotFound,
    ArtifactDenied,
    ArtifactNotFound,
    BatchNotFound,
    CollectionTooLarge,
    JobNotFound,
    NoEmbedding,
    PositionAhead,
    PositionExpired,
    QuotaExceeded,
    RequestIdReused,
    UploadBusy,
    UploadElsewhere,
    UploadIdReused,
    UploadIncomplete,
    UploadInUse,
    UploadLost,
    UploadNotFound,
)
from harken.jobs.owners.scope import Scope
from harken.media import SourceError, SourceNotFound, SourceOutside
from harken.media.source_errors import SourceUnreachable, UriMalformed, UriNotAllowed
from harken.media.storage_errors import (
    BlobMissing,
    StorageFull,
    StorageOfAnother,
    StorageUnavailable,
)
from harken.server.errors import (
    InvalidRequest,
    InvalidToken,
    KeysUnknown,
    MalformedRequest,
    OffsetPastEnd,
    QueryFailed,
    QueryNotReady,
    RequestSlow,
    ScopeMissing,
    ServerStopping,
    Unauthenticated,
    UploadCorrupt,
    UploadStalled,
    UploadTooLarge,
    UploadTruncated,
)

DOMAIN = "harken"
DETAILS_KEY = "grpc-status-details-bin"
RETRY_AFTER = timedelta(seconds=1)

# Details travel in the trailing metadata, of which gRPC refuses more than 8 KiB, at first only now and then.
MOST_VIOLATIONS = 8
LONGEST_TEXT = 150  # bytes of what the caller sent, or of a sentence about it
LONGEST_MESSAGE = 700  # bytes, which gRPC sends twice, once with three for each that is not ASCII

Code = grpc.StatusCode


def status_of(error: Exception) -> status_pb2.Status | None:
    """The status of an error that is somebody else's doing; None for a fault of harken's own."""
    match error:
        case InvalidRequest():
            first = error.violations[0]
            return _status(
                Code.INVALID_ARGUMENT,
                error,
                first.reason,
                {"field": first.field},
                _bad_request(*((found.field, found.description) for found in error.violations)),
            )
        case InvalidToken():
            field = error.field
            return _status(
                Code.INVALID_ARGUMENT,
                error,
                "INVALID_TOKEN",
                {"field": field},
                _bad_request((field, str(error))),
            )
        case JobNotFound():
            return _not_found(error, "JOB_NOT_FOUND", "harken.v1.Job", error.job_id)
        case BatchNotFound():
            return _not_found(error, "BATCH_NOT_FOUND", "harken.v1.Batch", error.batch_id)
        case ActionNotFound():
            return _not_found(error, "ACTION_NOT_FOUND", "harken.v1.Action", error.action_id)
        case SourceNotFound():
            return _not_found(error, error.reason, "file", error.path)
        case SourceUnreachable():
            return _status(Code.UNAVAILABLE, error, error.reason, {}, _retry())
        case UriMalformed():
            violation = _bad_request(("place", str(error)))
            return _status(Code.INVALID_ARGUMENT, error, error.reason, {}, violation)
        case UriNotAllowed():
            return _status(Code.PERMISSION_DENIED, error, error.reason, {"uri": error.path})
        case SourceOutside():
            return _status(Code.PERMISSION_DENIED, error, error.reason, {"path": error.path})
        case SourceError():
            violation = _bad_request(("source.path", str(error)))
            return _status(
                Code.INVALID_ARGUMENT, error, error.reason, {"path": error.path}, violation
            )
        case RequestIdReused():
            metadata = {"request_id": error.request_id, "made": error.made_id}
            return _status(Code.ALREADY_EXISTS, error, "REQUEST_ID_REUSED", metadata)
        case PositionAhead():
            return _status(Code.OUT_OF_RANGE, error, "RESUME_TOKEN_AHEAD", {})
        case PositionExpired():
            return _status(Code.OUT_OF_RANGE, error, "RESUME_TOKEN_EXPIRED", {})
        case MalformedRequest() | DecodeError():
            # Of a message in a stream of them it is the library that says so.
            error = MalformedRequest()
            return _status(Code.INVALID_ARGUMENT, error, "MALFORMED_REQUEST", {}, _bad_request())
        case RequestSlow():
            return _status(Code.DEADLINE_EXCEEDED, error, "REQUEST_SLOW", {})
        case Unauthenticated():
            return _status(Code.UNAUTHENTICATED, error, error.reason, {})
        case ScopeMissing():
            metadata = {"scope": error.scope, "method": error.method}
            return _status(Code.PERMISSION_DENIED, error, "SCOPE_MISSING", metadata)
        case KeysUnknown():
            return _status(Code.UNAVAILABLE, error, "CALLER_NOT_FOUND_OUT", {}, _retry())
        case QuotaExceeded():
            failure = QuotaFailure(
                violations=[
                    QuotaFailure.Violation(
                        subject=f"owner:{_cut(error.owner, LONGEST_TEXT)}",
                        description=_cut(str(error), LONGEST_TEXT),
                    )
                ]
            )
            metadata = {"quota": error.quota}
            again = [_retry(error.retry_after)] if error.retry_after is not None else []
            return _status(
                Code.RESOURCE_EXHAUSTED, error, "QUOTA_EXCEEDED", metadata, failure, *again
            )
        case NotImplementedError():  # what gRPC's own services leave out
            message = "This server does not have this call."
            return _status(Code.UNIMPLEMENTED, message, "NOT_IMPLEMENTED", {})
        case ServerStopping():
            return _status(Code.UNAVAILABLE, error, "SERVER_STOPPING", {}, _retry())
        case NoEmbedding():
            metadata = {"job_id": error.job_id}
            return _status(Code.FAILED_PRECONDITION, error, "NO_EMBEDDING", metadata)
        case CollectionTooLarge():
            return _status(Code.FAILED_PRECONDITION, error, "COLLECTION_TOO_LARGE", {})
        case QueryFailed():
            metadata = {"job_id": error.job_id}
            return _status(Code.FAILED_PRECONDITION, error, "QUERY_FAILED", metadata)
        case QueryNotReady():
            metadata = {"job_id": error.job_id}
            return _status(Code.DEADLINE_EXCEEDED, error, "QUERY_NOT_READY", metadata)
        case ArtifactDenied():
            metadata = {"scope": Scope.ADMIN.value}
            return _status(Code.PERMISSION_DENIED, error, "SCOPE_MISSING", metadata)
        case ArtifactNotFound():
            return _not_found(error, "ARTIFACT_NOT_FOUND", "harken.v1.Artifact", error.artifact_id)
        case UploadNotFound():
            return _not_found(error, "UPLOAD_NOT_FOUND", "harken.v1.Upload", error.upload_id)
        case UploadIncomplete():
            metadata = {"upload_id": error.upload_id, "offset": str(error.received)}
            return _status(Code.FAILED_PRECONDITION, error, "UPLOAD_INCOMPLETE", metadata)
        case UploadElsewhere():
            metadata = {"upload_id": error.upload_id, "offset": str(error.received)}
            return _status(Code.FAILED_PRECONDITION, error, "OFFSET_MISMATCH", metadata)
        case UploadInUse():
            metadata = {"upload_id": error.upload_id}
            return _status(Code.FAILED_PRECONDITION, error, "UPLOAD_IN_USE", metadata)
        case UploadIdReused():
            metadata = {"upload_id": error.upload_id}
            return _status(Code.ALREADY_EXISTS, error, "UPLOAD_ID_REUSED", metadata)
        case UploadBusy():
            metadata = {"upload_id": error.upload_id}
            return _status(Code.ABORTED, error, "UPLOAD_BUSY", metadata, _retry())
        case UploadLost():
            metadata = {"upload_id": error.upload_id}
            return _status(Code.ABORTED, error, "UPLOAD_LOST", metadata)
        case UploadStalled():
            return _status(Code.ABORTED, error, "UPLOAD_STALLED", {}, _retry())
        case UploadTooLarge():
            limit = QuotaFailure.Violation(subject="upload", description=str(error))
            failure = QuotaFailure(violations=[limit])
            metadata = {"limit_bytes": str(error.limit_bytes)}
            return _status(Code.RESOURCE_EXHAUSTED, error, "UPLOAD_TOO_LARGE", metadata, failure)
        case UploadTruncated():
            violation = _bad_request(("header.size", str(error)))
            metadata = {"offset": str(error.received)}
            return _status(Code.INVALID_ARGUMENT, error, "UPLOAD_TRUNCATED", metadata, violation)
        case UploadCorrupt():
            violation = _bad_request(("header.sha256", str(error)))
            metadata = {"sha256": error.found}
            return _status(Code.INVALID_ARGUMENT, error, "SHA256_MISMATCH", metadata, violation)
        case OffsetPastEnd():
            metadata = {"size": str(error.size)}
            return _status(Code.OUT_OF_RANGE, error, "OFFSET_PAST_END", metadata)
        case StorageFull():
            return _status(Code.RESOURCE_EXHAUSTED, error, "STORAGE_FULL", {})
        case StorageOfAnother():
            message = "The storage is that of another system; the server's log tells more."
            return _status(Code.FAILED_PRECONDITION, message, "STORAGE_OF_ANOTHER", {})
        case StorageUnavailable():
            return _status(Code.UNAVAILABLE, error, "STORAGE_UNAVAILABLE", {}, _retry())
        case BlobMissing():
            message = "The bytes are gone from the storage, though nobody asked for it."
            return _status(Code.DATA_LOSS, message, "BYTES_MISSING", {})
        case OperationalError() | InterfaceError() | PoolTimeout():
            # The answer to a commit may be what was lost.
            message = (
                "The database does not answer, so it is not known whether this was done. Try again;"
                " a submit with the same request_id makes nothing twice."
            )
            return _status(Code.UNAVAILABLE, message, "DATABASE_UNAVAILABLE", {}, _retry())
        case _:
            return None


def internal(fault_id: str) -> status_pb2.Status:
    """The status of a fault of harken's own, to be found in the log by its id."""
    message = f"A fault in harken. The server's log tells more under fault {fault_id}."
    return _status(Code.INTERNAL, message, "INTERNAL_FAULT", {"fault_id": fault_id})


def unimplemented(method: str) -> status_pb2.Status:
    """The status of a call that is in a contract and not in this server."""
    message = f"This server has no {method}."
    return _status(Code.UNIMPLEMENTED, message, "NOT_IMPLEMENTED", {"method": method})


def code_of(status: status_pb2.Status) -> grpc.StatusCode:
    """The status code as grpc has it."""
    return Code[code_pb2.Code.Name(status.code)]


def _status(
    code: grpc.StatusCode,
    error: Exception | str,
    reason: str,
    metadata: Mapping[str, str],
    *details: Message,
) -> status_pb2.Status:
    short = {name: _cut(value, LONGEST_TEXT) for name, value in metadata.items()}
    info = ErrorInfo(reason=reason, domain=DOMAIN, metadata=short)
    packed: list[Any] = []
    for detail in (info, *details):
        packed.append(Any())
        packed[-1].Pack(detail)
    message = _cut(str(error), LONGEST_MESSAGE)
    return status_pb2.Status(code=code.value[0], message=message, details=packed)


def _not_found(error: Exception, reason: str, kind: str, name: str) -> status_pb2.Status:
    resource = ResourceInfo(resource_type=kind, resource_name=_cut(name, LONGEST_TEXT))
    return _status(Code.NOT_FOUND, error, reason, {"name": name}, resource)


def _bad_request(*violations: tuple[str, str]) -> BadRequest:
    return BadRequest(
        field_violations=[
            BadRequest.FieldViolation(
                field=_cut(field, LONGEST_TEXT), description=_cut(description, LONGEST_TEXT)
            )
            for field, description in violations[:MOST_VIOLATIONS]
        ]
    )


def _retry(after: timedelta = RETRY_AFTER) -> RetryInfo:
    delay = Duration()
    delay.FromTimedelta(after)
    return RetryInfo(retry_delay=delay)


def _cut(text: str, most: int) -> str:
    """The text, cut to a number of bytes."""
    encoded = text.encode()
    return text if len(encoded) <= most else encoded[: most - 3].decode(errors="ignore") + "…"
