"""The header of an upload as values of the domain."""

import re
import uuid
from dataclasses import dataclass
from datetime import timedelta

from harken.jobs.files.upload import NewUpload
from harken.jobs.job import NewJob
from harken.server import validate
from harken.server.errors import InvalidRequest, Violation
from harken.v1.job_service_pb2 import SubmitAnalysisRequest
from harken.v1.media_service_pb2 import UploadHeader

# Published in media_service.proto and docs/limits.md.
LONGEST_FILENAME = 255
LARGEST_CHUNK = 4 * 1024 * 1024

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class UploadCall:
    """What a call announces: the upload, where its bytes begin, and the job to be made of it."""

    new: NewUpload
    offset: int
    job: NewJob | None


def upload_call(header: UploadHeader, *, longest_run: timedelta) -> UploadCall:
    """The call of a header. Raises InvalidRequest."""
    violations = _violations(header)
    upload_id = header.upload_id.lower() if header.HasField("upload_id") else str(uuid.uuid4())
    job = None
    if header.HasField("submit"):
        try:
            job = _job(header.submit, upload_id, longest_run)
        except InvalidRequest as error:
            violations += [
                Violation(f"header.submit.{found.field}", found.reason, found.description)
                for found in error.violations
            ]
    if violations:
        raise InvalidRequest(violations)
    new = NewUpload(
        upload_id=upload_id,
        filename=header.filename,
        size=header.size if header.HasField("size") else None,
        sha256=header.sha256.lower() if header.HasField("sha256") else None,
        resumable=header.HasField("upload_id"),
    )
    return UploadCall(new=new, offset=header.offset, job=job)


def chunk_violation(chunk: bytes) -> None:
    """Raises InvalidRequest for a chunk that is too large."""
    if len(chunk) > LARGEST_CHUNK:
        description = f"{len(chunk):,} bytes; send at most {LARGEST_CHUNK:,} in a message."
        raise InvalidRequest([Violation("chunk", "CHUNK_TOO_LARGE", description)])


def _job(submit: SubmitAnalysisRequest, upload_id: str, longest_run: timedelta) -> NewJob:
    if submit.HasField("source"):
        description = "Leave it out: the upload is the source."
        raise InvalidRequest([Violation("source", "SOURCE_OF_UPLOAD", description)])
    request = SubmitAnalysisRequest()
    request.CopyFrom(submit)
    request.source.upload_id = upload_id
    return validate.new_job(request, longest_run=longest_run)


def _violations(header: UploadHeader) -> list[Violation]:
    violations: list[Violation] = []
    if header.HasField("upload_id"):
        violations += validate.id_violations("header.upload_id", header.upload_id)
    elif header.offset:
        description = "Name the upload that is to be gone on with, or begin at 0."
        violations.append(Violation("header.upload_id", "NO_UPLOAD_ID", description))
    if len(header.filename) > LONGEST_FILENAME:
        description = f"A file's name has at most {LONGEST_FILENAME} characters."
        violations.append(Violation("header.filename", "FILENAME_TOO_LONG", description))
    if "\0" in header.filename:
        description = "A file's name holds no NUL character."
        violations.append(Violation("header.filename", "FILENAME_NUL", description))
    if header.size < 0:
        violations.append(Violation("header.size", "NEGATIVE_SIZE", "It has to be at least 0."))
    if header.HasField("sha256") and not _SHA256.fullmatch(header.sha256.lower()):
        description = "It has to be 64 hexadecimal digits."
        violations.append(Violation("header.sha256", "MALFORMED_SHA256", description))
    size = header.size if header.HasField("size") else header.offset
    if not 0 <= header.offset <= size:
        description = "It has to be at least 0, and at most the size."
        violations.append(Violation("header.offset", "OFFSET_OUT_OF_RANGE", description))
    return violations
