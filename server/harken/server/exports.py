"""Requests for exports as jobs of the domain; what cannot be one is refused with the name of its field."""

from harken.jobs.export import Export, ExportFormat
from harken.jobs.job import DEFAULT_PRIORITY, NO_SOURCE, JobKind, NewJob
from harken.server import filters, validate
from harken.server.errors import InvalidRequest, Violation
from harken.tasks.queues import MAINTENANCE
from harken.v1.export_service_pb2 import ExportResultsRequest

_FORMAT = "FORMAT_"
_Format = ExportResultsRequest.Format


def new_export(request: ExportResultsRequest) -> NewJob:
    """The job of a request. Raises InvalidRequest."""
    violations = [
        *validate.request_id_violations("request_id", request),
        *validate.priority_violations(request),
    ]
    if request.format not in _Format.values() or request.format == _Format.FORMAT_UNSPECIFIED:
        known = ", ".join(_Format.Name(value) for value in _Format.values() if value)
        description = f"{request.format} is no format. There are {known}."
        violations.append(Violation("format", "UNKNOWN_FORMAT", description))
    if violations:
        raise InvalidRequest(violations)
    wanted = Export(
        format=ExportFormat(_Format.Name(request.format).removeprefix(_FORMAT).lower()),
        where=filters.export_filter(request),
    )
    return NewJob(
        source=NO_SOURCE,
        features=(),
        queue=MAINTENANCE,
        priority=request.priority if request.HasField("priority") else DEFAULT_PRIORITY,
        request_id=request.request_id.lower() if request.HasField("request_id") else None,
        kind=JobKind.EXPORT,
        spec=wanted.to_spec(),
    )
