"""What can go wrong. The client raises these and nothing of gRPC's.

    HarkenError                    .message, .reason, .metadata
    ├── RequestRefused             refused for good: repeating it is pointless
    │   ├── InvalidRequest         .field_violations
    │   ├── NotFound
    │   ├── PermissionDenied
    │   │   ├── NotAuthenticated   no key, or one that does not hold
    │   │   └── OutsideRoots       the path leads out of the server's media roots
    │   ├── AlreadyExists          the request_id was used with another payload
    │   ├── ResumeTokenRejected    never by a watch: it starts afresh by itself
    │   ├── LimitExceeded          .retry_after
    │   └── NotSupported           this server does not know the call
    ├── ServerUnavailable          .answered; nobody there, or going away: worth repeating
    ├── Aborted                    another call is in the way: worth repeating
    ├── DeadlineExceeded           the time given to the call, the watch or the wait is over
    ├── ServerError                a fault in harken, named in the server's log
    ├── ClientClosed               the client was closed before
    ├── JobFailed                  .job; only raised by `result()`
    └── JobCancelled               .job; only raised by `result()`

How a status of the RPC becomes an error (`harken.client.status`):

    INVALID_ARGUMENT                             InvalidRequest
    NOT_FOUND                                    NotFound
    UNAUTHENTICATED                              NotAuthenticated
    PERMISSION_DENIED                            PermissionDenied
      … with the reason SOURCE_OUTSIDE_ROOTS     OutsideRoots
    ALREADY_EXISTS                               AlreadyExists
    OUT_OF_RANGE                                 ResumeTokenRejected
      … with the reason OFFSET_PAST_END          RequestRefused
    RESOURCE_EXHAUSTED                           LimitExceeded
    FAILED_PRECONDITION                          RequestRefused
    UNIMPLEMENTED                                NotSupported
    UNAVAILABLE, CANCELLED (by the server)       ServerUnavailable
    ABORTED                                      Aborted
    DEADLINE_EXCEEDED                            DeadlineExceeded
    INTERNAL and every other                     ServerError

What the client itself can see to be wrong (a feature that does not exist, a label that is no text)
is InvalidRequest too.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from harken.client.frozen_map import FrozenMap
from harken.client.job import Job


@dataclass(frozen=True, kw_only=True)
class FieldViolation:
    """A field of the request that is wrong."""

    field: str
    """Its path, such as "labels" or "items[3].source"."""
    description: str
    reason: str = ""


class HarkenError(Exception):
    """The base of all errors of this client."""

    def __init__(
        self, message: str, *, reason: str = "", metadata: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        """What is wrong and what to do, for people."""
        self.reason = reason
        """What is wrong, for programs, such as "JOB_NOT_FOUND"; empty when the server gave none."""
        self.metadata: Mapping[str, str] = FrozenMap(metadata)
        """More about it, by the server, such as the path or the id concerned."""


class RequestRefused(HarkenError):
    """The server looked at the call and refused it: repeating it is pointless."""


class InvalidRequest(RequestRefused):
    """A field of the request is missing or malformed."""

    def __init__(
        self,
        message: str,
        *,
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        field_violations: tuple[FieldViolation, ...] = (),
    ) -> None:
        super().__init__(message, reason=reason, metadata=metadata)
        self.field_violations = field_violations


class NotFound(RequestRefused):
    """There is no such job, batch, file, upload or artifact, or none any more."""


class PermissionDenied(RequestRefused):
    """The server does not allow this."""


class NotAuthenticated(PermissionDenied):
    """The server does not know who calls: no key, or one that does not hold."""


class OutsideRoots(PermissionDenied):
    """The path leads out of the server's media roots."""


class AlreadyExists(RequestRefused):
    """The request_id was used with another payload."""


class ResumeTokenRejected(RequestRefused):
    """The resume_token is from the future or too old."""


class LimitExceeded(RequestRefused):
    """The message is larger, or the calls or jobs are more, than the server takes.

    Calls with one answer wait for `retry_after` by themselves, within their timeout, before they
    raise it.
    """

    def __init__(
        self,
        message: str,
        *,
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, reason=reason, metadata=metadata)
        self.retry_after = retry_after
        """Seconds after which the same may be allowed; None when it never will be."""


class NotSupported(RequestRefused):
    """The server does not know this call; it may be older than this client."""


class ServerUnavailable(HarkenError):
    """Nobody answers, or the server is going away or cannot reach its database: try again."""

    def __init__(
        self,
        message: str,
        *,
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        answered: bool = False,
    ) -> None:
        super().__init__(message, reason=reason, metadata=metadata)
        self.answered = answered
        """Whether a harken server sent this answer itself."""


class Aborted(HarkenError):
    """Another call about the same thing was in the way: try again."""


class DeadlineExceeded(HarkenError):
    """The time given is over. What was asked for may still happen."""


class ServerError(HarkenError):
    """A fault in harken, named in the server's log."""


class ClientClosed(HarkenError):
    """The client was closed before this call."""


class _JobEnded(HarkenError):
    """A job ended without a result."""

    def __init__(self, job: Job) -> None:
        error = job.error
        message = error.message if error and error.message else f"ended as {job.state}"
        reason = error.reason if error else ""
        super().__init__(f"Job {job.job_id}: {message}", reason=reason)
        self.args = (job,)  # so that pickle and copy make it again from the job
        self.job = job

    def __str__(self) -> str:
        return self.message


class JobFailed(_JobEnded):
    """A job failed; `job.error` says who has to do something about it."""


class JobCancelled(_JobEnded):
    """A job was cancelled."""
