"""What the client's arguments mean as requests: shared by the sync and the asyncio client.

Everything that can be seen to be wrong before a call is InvalidRequest, so that a program has one
error to catch.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import PurePath
from typing import Any, Protocol, TypeVar, cast
from uuid import UUID, uuid4

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from harken.client.convert import encode, number_of
from harken.client.enums import ErrorKind, Feature, JobKind, JobState
from harken.client.errors import InvalidRequest
from harken.client.job import URIS, Source
from harken.client.options import Options
from harken.v1 import job_service_pb2 as pb
from harken.v1.options_pb2 import Options as OptionsMessage
from harken.v1.source_pb2 import Source as SourceMessage

M = TypeVar("M", bound=Message)

MAX_PAGE_SIZE = 1_000
"""The server's cap of jobs a page."""


class HasJobId(Protocol):
    """A job or a handle of one."""

    @property
    def job_id(self) -> str:
        """UUID of the job."""
        ...


class HasBatchId(Protocol):
    """A batch or a handle of one."""

    @property
    def batch_id(self) -> str:
        """UUID of the batch."""
        ...


PathOrSource = str | os.PathLike[str] | Source
JobRef = str | UUID | HasJobId
BatchRef = str | UUID | HasBatchId
Features = Iterable[Feature | str] | str
Length = float | timedelta
"""A length of time; a number is seconds."""
Kinds = Iterable[ErrorKind | str] | str
JobKinds = Iterable[JobKind | str] | str


def job_id_of(job: JobRef) -> str:
    """The id of a job given by its id, a Job or a handle."""
    return str(job) if isinstance(job, str | UUID) else job.job_id


def batch_id_of(batch: BatchRef) -> str:
    """The id of a batch given by its id, a Batch or a handle."""
    return str(batch) if isinstance(batch, str | UUID) else batch.batch_id


def submit_analysis(
    source: PathOrSource,
    *,
    features: Features | None = None,
    priority: int | None = None,
    labels: Mapping[str, str] | None = None,
    schedule_timeout: Length | None = None,
    request_id: str | UUID | None = None,
    run_timeout: Length | None = None,
    skip_cache: bool = False,
    options: Options | None = None,
) -> pb.SubmitAnalysisRequest:
    """The request for one file, with a request_id in any case, so that repeating it is safe."""
    return valid(
        pb.SubmitAnalysisRequest,
        request_id=str(request_id or uuid4()),
        source=source_message(source),
        features=feature_numbers(features),
        priority=priority,
        labels=labels,
        schedule_timeout=length("schedule_timeout", schedule_timeout),
        run_timeout=length("run_timeout", run_timeout),
        skip_cache=skip_cache,
        options=options_message(options),
    )


def list_jobs(
    *,
    states: Iterable[JobState | str] | str | None = None,
    batch: BatchRef | None = None,
    labels: Mapping[str, str] | None = None,
    error_kinds: Kinds | None = None,
    ended_after: datetime | None = None,
    ended_before: datetime | None = None,
    dead_letters_only: bool = False,
    kinds: JobKinds | None = None,
    page_size: int = 0,
    page_token: str = "",
) -> pb.ListJobsRequest:
    """The request for a page of jobs."""
    return valid(
        pb.ListJobsRequest,
        page_size=min(page_size, MAX_PAGE_SIZE),
        page_token=page_token,
        batch_id=None if batch is None else batch_id_of(batch),
        states=[number_of(state) for state in job_states(states)],
        labels=labels,
        error_kinds=kind_numbers(error_kinds),
        ended_after=moment(ended_after),
        ended_before=moment(ended_before),
        dead_letters_only=dead_letters_only,
        kinds=job_kind_numbers(kinds),
    )


def source_message(source: PathOrSource) -> SourceMessage:
    """The message of a source.

    A text is an address, such as https://… or s3://…, or a path as the server sees it: absolute, or
    relative to a media root. A `pathlib.Path` is a file of this machine and is sent as absolute path,
    symbolic links left as they are.
    """
    path: Any
    if (uri := uri_of(source)) is not None:
        return valid(SourceMessage, uri=uri)
    if isinstance(source, Source):
        if source.upload_id is not None:
            return valid(SourceMessage, upload_id=source.upload_id)
        path = source.path
    elif isinstance(source, PurePath):
        path = os.path.abspath(source)
    else:
        path = os.fspath(source)
    try:
        return SourceMessage(path=path)
    except (ValueError, TypeError) as error:
        raise InvalidRequest(
            f"The path {path!r} is not text in UTF-8, which is all that can be sent.",
            reason="PATH_NOT_UTF8",
        ) from error


def uri_of(source: object) -> str | None:
    """The address that a source is, if it is one."""
    if isinstance(source, Source):
        return source.uri
    return source if isinstance(source, str) and source.lower().startswith(URIS) else None


def feature_numbers(features: Features | None) -> list[Any]:
    """The contract's numbers of features: members, texts, or one text "rhythm,loudness"."""
    if features is None:
        return []
    names = features.split(",") if isinstance(features, str) else features
    return [number_of(_member(Feature, name, "feature", str.lower)) for name in names]


def options_message(options: Options | None) -> OptionsMessage | None:
    """The message of a job's options, which is None for none."""
    if options is None:
        return None
    try:
        return cast(OptionsMessage, encode(options))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InvalidRequest(
            f"The options are malformed: {error}", reason="MALFORMED_FIELD"
        ) from error


def length(field: str, value: Length | None) -> timedelta | None:
    """A length of time given in seconds or as timedelta; None stays None."""
    if value is None or isinstance(value, timedelta):
        return value
    try:
        return timedelta(seconds=value)
    except (OverflowError, ValueError, TypeError) as error:
        raise InvalidRequest(
            f"The {field} {value!r} is no length of time. Give seconds or a timedelta.",
            reason="MALFORMED_FIELD",
        ) from error


def job_states(states: Iterable[JobState | str] | str | None) -> list[JobState]:
    """States given as members or as texts, also as one text."""
    if states is None:
        return []
    names = [states] if isinstance(states, str) else states
    return [_member(JobState, name, "state", str.upper) for name in names]


def kind_numbers(kinds: Kinds | None) -> list[Any]:
    """The contract's numbers of kinds of error: members, texts, or one text."""
    names = [kinds] if isinstance(kinds, str) else kinds or ()
    return [number_of(_member(ErrorKind, name, "kind of error", str.upper)) for name in names]


def job_kind_numbers(kinds: JobKinds | None) -> list[Any]:
    """The contract's numbers of kinds of jobs: members, texts, or one text."""
    names = [kinds] if isinstance(kinds, str) else kinds or ()
    return [number_of(_member(JobKind, name, "kind of job", str.upper)) for name in names]


def moment(time: datetime | None) -> Timestamp | None:
    """The message of a time, which has to know its zone."""
    if time is None:
        return None
    if time.tzinfo is None:
        raise InvalidRequest(
            f"{time} has no time zone. Write datetime.now(UTC), or time.astimezone().",
            reason="NAIVE_TIME",
        )
    message = Timestamp()
    message.FromDatetime(time.astimezone(UTC))
    return message


def valid(kind: type[M], **fields: Any) -> M:
    """A message of these fields; InvalidRequest for a number or text that it cannot hold."""
    try:
        return kind(**fields)
    except (ValueError, TypeError) as error:
        raise InvalidRequest(
            f"A field of the request is malformed: {error}", reason="MALFORMED_FIELD"
        ) from error


E = TypeVar("E", ErrorKind, Feature, JobKind, JobState)


def _member(enum: type[E], name: str, noun: str, case: Callable[[str], str]) -> E:
    try:
        member = enum(case(str(name).strip()))
    except ValueError:
        member = enum["UNKNOWN"]
    if member.name == "UNKNOWN":
        known = ", ".join(word for word in enum if word.name != "UNKNOWN")
        raise InvalidRequest(
            f"There is no {noun} {str(name)!r}. There are: {known}.",
            reason=f"UNKNOWN_{noun.upper().replace(' ', '_')}",
        )
    return member
