"""Filters of jobs in requests as values of the domain; what cannot be one is refused with the name of its field."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from harken.jobs.job import ErrorKind, JobKind
from harken.jobs.queries import JobFilter
from harken.jobs.state import JobState
from harken.server import convert
from harken.server.errors import InvalidRequest, Violation
from harken.server.validate import id_violations, label_violations
from harken.v1 import job_pb2
from harken.v1.collection_service_pb2 import CollectionFilter
from harken.v1.export_service_pb2 import ExportResultsRequest
from harken.v1.job_service_pb2 import ListJobsRequest, RetryFilter

FilterMessage = ListJobsRequest | RetryFilter | ExportResultsRequest | CollectionFilter

# A filter finds what may be worth another try; what went well is retried by its id only.
_FOUND_TO_RETRY = (JobState.FAILED, JobState.CANCELLED)
_NAMES = " or ".join(f"JOB_STATE_{state}" for state in _FOUND_TO_RETRY)


def list_filter(request: ListJobsRequest) -> JobFilter:
    """The filter of a list. Raises InvalidRequest."""
    violations = list(_violations("", request))
    violations += _unknown("kinds", request.kinds, _JOB_KINDS, "UNKNOWN_JOB_KIND", "kind of job")
    if request.dead_letters_only:
        violations += _dead_letter_violations(request)
    if violations:
        raise InvalidRequest(violations)
    return JobFilter(
        batch_id=request.batch_id.lower() if request.HasField("batch_id") else None,
        states=tuple(convert.state_of(number) for number in request.states),
        labels=dict(request.labels),
        error_kinds=tuple(convert.kind_of(number) for number in request.error_kinds),
        ended_after=_time(request, "ended_after"),
        ended_before=_time(request, "ended_before"),
        dead_letters_only=request.dead_letters_only,
        kinds=tuple(convert.job_kind_of(number) for number in request.kinds),
    )


def retry_filter(message: RetryFilter) -> JobFilter:
    """The filter of a call to RetryJobs. Raises InvalidRequest."""
    violations = list(_violations("filter.", message))
    states = [convert.state_of(number) for number in message.states if number in _STATES]
    for index, state in enumerate(states):
        if state not in _FOUND_TO_RETRY:
            description = f"A filter retries jobs that are {_NAMES}; name others by their ids."
            violations.append(
                Violation(f"filter.states[{index}]", "STATE_NOT_RETRIED", description)
            )
    if violations:
        raise InvalidRequest(violations)
    return JobFilter(
        batch_id=message.batch_id.lower() if message.HasField("batch_id") else None,
        states=tuple(states) or (JobState.FAILED,),
        labels=dict(message.labels),
        error_kinds=tuple(convert.kind_of(number) for number in message.error_kinds),
        not_error_kinds=() if message.error_kinds else (ErrorKind.INPUT,),
        ended_after=_time(message, "ended_after"),
        ended_before=_time(message, "ended_before"),
    )


def export_filter(message: ExportResultsRequest) -> JobFilter:
    """The filter of an export: analyses that went well, unless other states are asked for. Raises InvalidRequest."""
    violations = list(_common_violations("", message))
    if violations:
        raise InvalidRequest(violations)
    return JobFilter(
        batch_id=message.batch_id.lower() if message.HasField("batch_id") else None,
        states=tuple(convert.state_of(number) for number in message.states)
        or (JobState.SUCCEEDED,),
        labels=dict(message.labels),
        ended_after=_time(message, "ended_after"),
        ended_before=_time(message, "ended_before"),
        kinds=(JobKind.ANALYSIS,),
    )


def collection_filter(message: CollectionFilter) -> JobFilter:
    """The filter of a collection: analyses in any state, unless some are asked for. Raises InvalidRequest."""
    violations = list(_common_violations("filter.", message))
    if violations:
        raise InvalidRequest(violations)
    return JobFilter(
        batch_id=message.batch_id.lower() if message.HasField("batch_id") else None,
        states=tuple(convert.state_of(number) for number in message.states),
        labels=dict(message.labels),
        ended_after=_time(message, "ended_after"),
        ended_before=_time(message, "ended_before"),
        kinds=(JobKind.ANALYSIS,),
    )


def bound_to(wanted: JobFilter) -> list[object]:
    """What a page token of this filter is bound to."""
    return [
        wanted.batch_id,
        sorted(wanted.states),
        sorted(wanted.labels.items()),
        sorted(wanted.error_kinds),
        wanted.ended_after,
        wanted.ended_before,
        wanted.dead_letters_only,
        sorted(wanted.kinds),
    ]


_STATES = frozenset(job_pb2.JobState.values()) - {job_pb2.JOB_STATE_UNSPECIFIED}
_KINDS = frozenset(job_pb2.JobError.Kind.values()) - {job_pb2.JobError.KIND_UNSPECIFIED}

_JOB_KINDS = frozenset(job_pb2.Job.Kind.values()) - {job_pb2.Job.KIND_UNSPECIFIED}


def _violations(place: str, message: ListJobsRequest | RetryFilter) -> Iterable[Violation]:
    yield from _unknown(
        f"{place}error_kinds", message.error_kinds, _KINDS, "UNKNOWN_ERROR_KIND", "kind of error"
    )
    yield from _common_violations(place, message)


def _common_violations(place: str, message: FilterMessage) -> Iterable[Violation]:
    yield from label_violations(f"{place}labels", message.labels)
    yield from _unknown(f"{place}states", message.states, _STATES, "UNKNOWN_STATE", "state")
    if message.HasField("batch_id"):
        yield from id_violations(f"{place}batch_id", message.batch_id)
    times: list[datetime] = []
    for name in ("ended_after", "ended_before"):
        try:
            times += filter(None, [_time(message, name)])
        except (ValueError, OverflowError):
            description = "It is no time of the years 1 to 9999."
            yield Violation(f"{place}{name}", "TIME_OUT_OF_RANGE", description)
    if len(times) == 2 and times[0] >= times[1]:
        description = "No job ends at ended_after or later and before that time."
        yield Violation(f"{place}ended_before", "EMPTY_TIME_RANGE", description)


def _unknown(
    field: str, numbers: Sequence[int], known: frozenset[int], reason: str, noun: str
) -> Iterable[Violation]:
    for index, number in enumerate(numbers):
        if number not in known:
            yield Violation(f"{field}[{index}]", reason, f"{number} is no {noun} to filter by.")


def _dead_letter_violations(request: ListJobsRequest) -> Iterable[Violation]:
    if set(request.states) - {job_pb2.JOB_STATE_FAILED}:
        description = "Dead letters are jobs that FAILED. Leave states out."
        yield Violation("states", "NO_DEAD_LETTERS", description)
    if job_pb2.JobError.KIND_INPUT in request.error_kinds:
        description = (
            "A job that failed for its file's sake is no dead letter. Leave KIND_INPUT out."
        )
        yield Violation("error_kinds", "NO_DEAD_LETTERS", description)


def _time(message: FilterMessage, name: str) -> datetime | None:
    """The time in a field, None for one that is not set. Raises ValueError and OverflowError."""
    if not message.HasField(name):  # pyright: ignore[reportArgumentType] # one of the two below
        return None
    time: Timestamp = getattr(message, name)
    return time.ToDatetime(tzinfo=UTC)
