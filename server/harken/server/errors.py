"""What the server refuses by itself. Errors of the job domain and of media are raised there.

RequestError
├── InvalidRequest      fields that are missing or malformed
├── InvalidToken        a page or resume token that was not made here, or for something else
├── MalformedRequest    what came is no message of the contract
├── RequestSlow         the request did not arrive in time
├── Unauthenticated     who calls is not known
├── ScopeMissing        who calls is known, and may not do this
├── KeysUnknown         who calls cannot be found out for now
├── UploadTooLarge      an upload of more bytes than the server takes
├── UploadTruncated     an upload that ended before all announced bytes had come
├── UploadCorrupt       an upload whose bytes are not those of its SHA-256
├── UploadStalled       an upload of which nothing came for too long
├── OffsetPastEnd       a download that begins after the end
├── QueryFailed         the sound that is searched by could not be analysed
├── QueryNotReady       the sound that is searched by is not analysed yet
└── ServerStopping      the server is going away
"""

from collections.abc import Sequence
from dataclasses import dataclass

from harken.jobs.job import Job


@dataclass(frozen=True)
class Violation:
    """A field of the request, as a path such as `items[3].source.path`, and what is wrong with it."""

    field: str
    reason: str
    description: str


class RequestError(Exception):
    """Base of what the server refuses by itself."""


class InvalidRequest(RequestError):
    """Fields are missing or malformed."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        super().__init__(" ".join(f"{found.field}: {found.description}" for found in violations))
        self.violations = tuple(violations)


class InvalidToken(RequestError):
    """A token that was not made here, or for another target or filter. `field` is where it came in."""

    def __init__(self, field: str) -> None:
        super().__init__(
            f"{field}: it is not a token of this request."
            " Send one as it was received, with the other fields unchanged, or none."
        )
        self.field = field


class MalformedRequest(RequestError):
    """What came is no message of the contract."""

    def __init__(self) -> None:
        super().__init__("The request is no message of this call, as the contract has it.")


class RequestSlow(RequestError):
    """The request did not arrive in time."""

    def __init__(self, within_s: float) -> None:
        super().__init__(f"The request has not arrived as a whole within {within_s:g} s.")


class Unauthenticated(RequestError):
    """Who calls is not known, or not any more. `reason` is for programs."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class ScopeMissing(RequestError):
    """Who calls is known, and may not do this."""

    def __init__(self, method: str, scope: str, owner: str) -> None:
        super().__init__(
            f"{method} needs the scope {scope!r}, which this caller, {owner!r}, does not have."
            f" Make a key with it: harken keys create --owner {owner} --scope {scope}."
        )
        self.method = method
        self.scope = scope


class KeysUnknown(RequestError):
    """Who calls cannot be found out, as the database, or the identity provider, does not answer."""

    def __init__(self, what: str = "The database does not answer") -> None:
        super().__init__(f"{what}, so it cannot be found out who calls. Try again.")


class UploadTooLarge(RequestError):
    """An upload of more bytes than the server takes."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(
            f"The file has more than {limit_bytes:,} bytes, which is the server's limit"
            " (HARKEN_MAX_UPLOAD)."
        )
        self.limit_bytes = limit_bytes


class UploadTruncated(RequestError):
    """An upload that ended before all announced bytes had come."""

    def __init__(self, received: int, size: int) -> None:
        super().__init__(
            f"The file ended after {received:,} bytes, and was announced with {size:,}."
            " Send the rest, or announce the size that it has."
        )
        self.received = received


class UploadCorrupt(RequestError):
    """An upload whose bytes are not those of its SHA-256."""

    def __init__(self, announced: str, found: str) -> None:
        super().__init__(
            f"What came has the SHA-256 {found}, not {announced} as announced."
            " It was deleted. Upload the file again; it may have changed meanwhile."
        )
        self.found = found


class UploadStalled(RequestError):
    """An upload of which nothing came for too long."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"Nothing came for {seconds:g} s. Go on where the upload stands.")


class OffsetPastEnd(RequestError):
    """A download that begins after the end."""

    def __init__(self, offset: int, size: int) -> None:
        super().__init__(
            f"The artifact has {size:,} bytes, so it cannot be sent from {offset:,} on."
        )
        self.size = size


class QueryFailed(RequestError):
    """The sound that is searched by could not be analysed."""

    def __init__(self, job: Job) -> None:
        why = job.error.message if job.error else f"The job was {job.state.lower()}."
        super().__init__(f"The source could not be analysed, as job {job.job_id}: {why}")
        self.job_id = job.job_id


class QueryNotReady(RequestError):
    """The sound that is searched by is not analysed yet."""

    def __init__(self, job_id: str) -> None:
        super().__init__(
            f"The source is not analysed yet. Job {job_id} does that: search by its job_id once it has ended,"
            " or call with a later deadline."
        )
        self.job_id = job_id


class ServerStopping(RequestError):
    """The server is going away."""

    def __init__(self) -> None:
        super().__init__(
            "The server is stopping. Call again: another one, or this one once it is back, answers."
        )
