"""Requests as values of the domain; what cannot be one is refused with the name of its field."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration

from harken.jobs.ids import is_id
from harken.jobs.job import DEFAULT_PRIORITY, NO_SOURCE, NewBatch, NewJob, RefusedItem, Source
from harken.media import MediaRoots, SourceError
from harken.media.source_errors import UriMalformed
from harken.media.source_rules import SourceRules
from harken.media.uri import parse_uri
from harken.server import convert
from harken.server.errors import InvalidRequest, Violation
from harken.server.options import options_of, options_violations
from harken.server.progress.wakeups import DEFAULT_HEARTBEAT
from harken.tasks.queues import HIGHEST_PRIORITY, queue_for
from harken.v1.collection_service_pb2 import CreateReportRequest
from harken.v1.export_service_pb2 import ExportResultsRequest
from harken.v1.feature_pb2 import Feature
from harken.v1.job_service_pb2 import RetryJobsRequest, SubmitAnalysisRequest, SubmitBatchRequest
from harken.v1.owner_service_pb2 import EraseOwnerRequest, ExportOwnerRequest
from harken.v1.source_pb2 import Source as SourceMessage

# Published in job_service.proto and docs/limits.md.
LONGEST_PATH_BYTES = 4096
MOST_ITEMS = 10_000
MOST_LABELS = 64
LONGEST_LABEL_KEY = 63
LONGEST_LABEL_VALUE = 255
DEFAULT_PAGE = 50
LARGEST_PAGE = 1_000
MOST_JOBS = 1_000
SHORTEST_HEARTBEAT = timedelta(seconds=1)
LONGEST_HEARTBEAT = timedelta(hours=1)
SHORTEST_SCHEDULE_TIMEOUT = timedelta(seconds=1)
LONGEST_SCHEDULE_TIMEOUT = timedelta(days=30)

ALL_FEATURES = tuple(convert.feature_name(number) for number in Feature.values() if number)
DEFAULT_FEATURES = ALL_FEATURES[:8]


def new_job(request: SubmitAnalysisRequest, *, longest_run: timedelta) -> NewJob:
    """The job of a request, whose path is yet to be looked at. Raises InvalidRequest."""
    violations = [
        *request_id_violations("request_id", request),
        *_source_violations("source", request),
        *_feature_violations("features", request.features),
        *_options_violations("options", request),
        *priority_violations(request),
        *label_violations("labels", request.labels),
        *_schedule_timeout_violations(request),
        *_run_timeout_violations(request, longest_run),
    ]
    if violations:
        raise InvalidRequest(violations)
    return _job(request)


def new_batch(
    request: SubmitBatchRequest, roots: MediaRoots, rules: SourceRules, *, longest_run: timedelta
) -> NewBatch:
    """The batch of a request, its bad items apart. Raises InvalidRequest for what is not an item's fault."""
    violations = [
        *request_id_violations("request_id", request),
        *_feature_violations("features", request.features),
        *_options_violations("options", request),
        *priority_violations(request),
        *_schedule_timeout_violations(request),
        *_run_timeout_violations(request, longest_run),
    ]
    if not request.items:
        violations.append(Violation("items", "NO_ITEMS", "Send at least one item."))
    if len(request.items) > MOST_ITEMS:
        description = f"{len(request.items)} items; send at most {MOST_ITEMS} at once."
        violations.append(Violation("items", "TOO_MANY_ITEMS", description))
    if violations:
        raise InvalidRequest(violations)
    features = _features(request.features)
    options = options_of(request.options)
    like = NewJob(
        source=NO_SOURCE,
        features=features,
        queue=queue_for(features, options),
        spec=options.to_spec(),
        priority=_priority(request),
        schedule_timeout=_schedule_timeout(request),
        run_timeout=_run_timeout(request),
        skip_cache=request.skip_cache,
    )
    resolve = roots.resolver()
    accepted: list[tuple[int, NewJob]] = []
    refused: list[RefusedItem] = []
    for index, item in enumerate(request.items):
        try:
            accepted.append((index, _item(index, item, like, resolve, rules)))
        except InvalidRequest as error:
            first = error.violations[0]  # ten thousand messages have to fit into one answer
            message = f"{first.field}: {first.description}"
            refused.append(RefusedItem(index=index, reason=first.reason, message=message))
        except SourceError as error:
            refused.append(RefusedItem(index=index, reason=error.reason, message=str(error)))
    return NewBatch(
        items=tuple(accepted),
        refused=tuple(refused),
        request_id=_request_id(request),
        request_hash=hashlib.sha256(request.SerializeToString(deterministic=True)).hexdigest(),
    )


def page_size(wanted: int) -> int:
    """The size of a page: the default for 0, and never over the published cap. Raises InvalidRequest."""
    if wanted < 0:
        violation = Violation("page_size", "NEGATIVE_PAGE_SIZE", "It has to be at least 0.")
        raise InvalidRequest([violation])
    return min(wanted or DEFAULT_PAGE, LARGEST_PAGE)


def identifiers(field: str, texts: Sequence[str]) -> tuple[str, ...]:
    """Ids of jobs in their canonical spelling, each once. Raises InvalidRequest."""
    violations: list[Violation] = []
    if not texts:
        violations.append(Violation(field, "NO_JOBS", "Name at least one job."))
    if len(texts) > MOST_JOBS:
        description = f"{len(texts)} jobs; name at most {MOST_JOBS:,} at once."
        violations.append(Violation(field, "TOO_MANY_JOBS", description))
    for index, text in enumerate(texts):
        violations += id_violations(f"{field}[{index}]", text)
    if violations:
        raise InvalidRequest(violations)
    return tuple(dict.fromkeys(text.lower() for text in texts))


def identifier(field: str, text: str) -> str:
    """An id in its canonical spelling. Raises InvalidRequest."""
    violations = list(id_violations(field, text))
    if violations:
        raise InvalidRequest(violations)
    return text.lower()


def heartbeat_interval(message: Duration | None) -> timedelta:
    """The interval of a request, or the default. Raises InvalidRequest."""
    if message is None:
        return DEFAULT_HEARTBEAT
    interval = _length(message)
    if interval is None or not SHORTEST_HEARTBEAT <= interval <= LONGEST_HEARTBEAT:
        description = "It has to be between 1 s and 1 h."
        raise InvalidRequest([Violation("heartbeat_interval", "OUT_OF_RANGE", description)])
    return interval


def _item(
    index: int,
    item: SubmitBatchRequest.Item,
    like: NewJob,
    resolve: Callable[[str], object],
    rules: SourceRules,
) -> NewJob:
    """The job of an item, in what the items have in common like another one."""
    violations = [
        *request_id_violations("request_id", item),
        *_source_violations("source", item),
    ]
    if item.features:
        violations += _feature_violations("features", item.features)
    own = bool(item.features) or item.HasField("options")
    if own:
        violations += _options_violations("options", item, like.features)
    if item.labels:
        violations += label_violations("labels", item.labels)
    if violations:
        place = f"items[{index}]"
        raise InvalidRequest([replace(one, field=f"{place}.{one.field}") for one in violations])
    source = _source(item.source)
    if source.kind == "path":
        resolve(source.value)
    elif source.kind == "uri":
        rules.check(parse_uri(source.value))
    features, queue, spec = like.features, like.queue, like.spec
    if own:
        features = _features(item.features) if item.features else like.features
        options = options_of(item.options)
        queue, spec = queue_for(features, options), options.to_spec()
    return NewJob(
        source=source,
        features=features,
        queue=queue,
        spec=spec,
        priority=like.priority,
        labels=dict(item.labels) if item.labels else like.labels,
        request_id=_request_id(item),
        schedule_timeout=like.schedule_timeout,
        run_timeout=like.run_timeout,
        skip_cache=like.skip_cache,
    )


def _job(request: SubmitAnalysisRequest) -> NewJob:
    features = _features(request.features)
    options = options_of(request.options)
    return NewJob(
        source=_source(request.source),
        features=features,
        queue=queue_for(features, options),
        spec=options.to_spec(),
        priority=_priority(request),
        labels=dict(request.labels),
        request_id=_request_id(request),
        schedule_timeout=_schedule_timeout(request),
        run_timeout=_run_timeout(request),
        skip_cache=request.skip_cache,
    )


def _source(message: SourceMessage) -> Source:
    kind = message.WhichOneof("source") or ""
    value: str = getattr(message, kind)
    return Source(kind=kind, value=value.lower() if kind == "upload_id" else value)


def _request_id(
    request: SubmitAnalysisRequest | SubmitBatchRequest | SubmitBatchRequest.Item,
) -> str | None:
    return request.request_id.lower() if request.HasField("request_id") else None


def _priority(request: SubmitAnalysisRequest | SubmitBatchRequest) -> int:
    return request.priority if request.HasField("priority") else DEFAULT_PRIORITY


def _schedule_timeout(request: SubmitAnalysisRequest | SubmitBatchRequest) -> timedelta | None:
    return _length(request.schedule_timeout) if request.HasField("schedule_timeout") else None


def _run_timeout(request: SubmitAnalysisRequest | SubmitBatchRequest) -> timedelta | None:
    return _length(request.run_timeout) if request.HasField("run_timeout") else None


def _length(message: Duration) -> timedelta | None:
    """The length of time; None for one that no clock will ever see the end of."""
    try:
        return timedelta(seconds=message.seconds, microseconds=message.nanos / 1000)
    except OverflowError:
        return None


def _features(numbers: Sequence[int]) -> tuple[str, ...]:
    """The names of the features in the order of the enum, each once; the default ones for none."""
    if not numbers:
        return DEFAULT_FEATURES
    wanted = {convert.feature_name(number) for number in numbers}
    return tuple(name for name in ALL_FEATURES if name in wanted)


def request_id_violations(
    field: str,
    request: SubmitAnalysisRequest
    | SubmitBatchRequest
    | SubmitBatchRequest.Item
    | RetryJobsRequest
    | ExportResultsRequest
    | CreateReportRequest
    | ExportOwnerRequest
    | EraseOwnerRequest,
) -> Iterable[Violation]:
    """What is wrong with a request_id, which may be unset."""
    return id_violations(field, request.request_id) if request.HasField("request_id") else ()


def id_violations(field: str, text: str) -> Iterable[Violation]:
    """What is wrong with an id."""
    if not is_id(text):
        shown = text if len(text) <= 50 else text[:50] + "…"
        description = f"{shown!r} is not a UUID such as 0197c0de-0000-7000-8000-000000000000."
        yield Violation(field, "MALFORMED_ID", description)


def _source_violations(
    field: str, request: SubmitAnalysisRequest | SubmitBatchRequest.Item
) -> Iterable[Violation]:
    source: SourceMessage = request.source
    kind = source.WhichOneof("source")
    if kind is None or not getattr(source, kind):
        yield Violation(field, "NO_SOURCE", "Name what to analyse, such as source.path.")
    elif kind == "upload_id":
        yield from id_violations(f"{field}.upload_id", source.upload_id)
    elif kind == "uri":
        try:
            parse_uri(source.uri)
        except UriMalformed as error:
            yield Violation(f"{field}.uri", error.reason, str(error))
    elif len(source.path.encode()) > LONGEST_PATH_BYTES:
        description = f"The path has more than {LONGEST_PATH_BYTES} bytes."
        yield Violation(f"{field}.path", "PATH_TOO_LONG", description)


def _feature_violations(field: str, numbers: Sequence[int]) -> Iterable[Violation]:
    for index, number in enumerate(numbers):
        if number not in Feature.values() or number == Feature.FEATURE_UNSPECIFIED:
            known = ", ".join(Feature.Name(value) for value in Feature.values() if value)
            description = f"{number} is no feature. There are {known}."
            yield Violation(f"{field}[{index}]", "UNKNOWN_FEATURE", description)


def _options_violations(
    field: str,
    request: SubmitAnalysisRequest | SubmitBatchRequest | SubmitBatchRequest.Item,
    otherwise: Sequence[str] = (),
) -> Iterable[Violation]:
    """What is wrong with options, of the features of the request, or else of those it is about `otherwise`."""
    if not request.HasField("options"):
        return ()
    known = [number for number in request.features if number in Feature.values()]
    features = _features(known) if known else otherwise
    return options_violations(field, request.options, features)


def priority_violations(
    request: SubmitAnalysisRequest
    | SubmitBatchRequest
    | ExportResultsRequest
    | CreateReportRequest,
) -> Iterable[Violation]:
    """What is wrong with a priority, which may be unset."""
    if request.HasField("priority") and not 0 <= request.priority <= HIGHEST_PRIORITY:
        description = f"{request.priority} is not between 0 and 9, 9 the most urgent."
        yield Violation("priority", "PRIORITY_OUT_OF_RANGE", description)


def _schedule_timeout_violations(
    request: SubmitAnalysisRequest | SubmitBatchRequest,
) -> Iterable[Violation]:
    if not request.HasField("schedule_timeout"):
        return
    length = _schedule_timeout(request)
    if length is None or not SHORTEST_SCHEDULE_TIMEOUT <= length <= LONGEST_SCHEDULE_TIMEOUT:
        description = "It has to be between 1 s and 30 days; leave it out to wait for ever."
        yield Violation("schedule_timeout", "SCHEDULE_TIMEOUT_OUT_OF_RANGE", description)


def _run_timeout_violations(
    request: SubmitAnalysisRequest | SubmitBatchRequest, longest: timedelta
) -> Iterable[Violation]:
    if not request.HasField("run_timeout"):
        return
    length = _run_timeout(request)
    if length is None or not timedelta(0) < length <= longest:
        description = (
            f"It has to be more than 0 and at most {longest.total_seconds():g} s, the server's limit"
            " (HARKEN_TASK_TIME_LIMIT)."
        )
        yield Violation("run_timeout", "RUN_TIMEOUT_OUT_OF_RANGE", description)


def label_violations(field: str, labels: Mapping[str, str]) -> Iterable[Violation]:
    """What is wrong with labels."""
    if len(labels) > MOST_LABELS:
        description = f"{len(labels)} labels; send at most {MOST_LABELS}."
        yield Violation(field, "TOO_MANY_LABELS", description)
    for key, value in labels.items():
        place = f"{field}[{key[:LONGEST_LABEL_KEY]!r}]"
        if not 1 <= len(key) <= LONGEST_LABEL_KEY:
            description = f"A key has 1 to {LONGEST_LABEL_KEY} characters."
            yield Violation(place, "LABEL_KEY_LENGTH", description)
        if len(value) > LONGEST_LABEL_VALUE:
            description = f"A value has at most {LONGEST_LABEL_VALUE} characters."
            yield Violation(place, "LABEL_VALUE_LENGTH", description)
        if "\0" in key + value:
            yield Violation(place, "LABEL_NUL", "A label holds no NUL character.")
