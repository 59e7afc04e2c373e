"""Requests about collections as values of the domain; what cannot be one is refused with the name of its field."""

from harken.jobs.collection.report import Report
from harken.jobs.job import DEFAULT_PRIORITY, NO_SOURCE, JobKind, NewJob
from harken.server import filters, validate
from harken.server.errors import InvalidRequest, Violation
from harken.tasks.queues import MAINTENANCE
from harken.v1.collection_service_pb2 import CreateReportRequest

LONGEST_TITLE = 200  # characters: a line of a page


def new_report(request: CreateReportRequest) -> NewJob:
    """The job of a request. Raises InvalidRequest."""
    violations = [
        *validate.request_id_violations("request_id", request),
        *validate.priority_violations(request),
    ]
    if len(request.title) > LONGEST_TITLE:
        description = f"A title has at most {LONGEST_TITLE} characters."
        violations.append(Violation("title", "TITLE_TOO_LONG", description))
    if "\0" in request.title:
        violations.append(Violation("title", "TITLE_NUL", "A title holds no NUL character."))
    if violations:
        raise InvalidRequest(violations)
    wanted = Report(where=filters.collection_filter(request.filter), title=request.title)
    return NewJob(
        source=NO_SOURCE,
        features=(),
        queue=MAINTENANCE,
        priority=request.priority if request.HasField("priority") else DEFAULT_PRIORITY,
        request_id=request.request_id.lower() if request.HasField("request_id") else None,
        kind=JobKind.REPORT,
        spec=wanted.to_spec(),
    )
