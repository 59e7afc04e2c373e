"""What the arguments of an export mean as a request: shared by the sync and the asyncio client."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from harken.client import requests
from harken.client.convert import decode
from harken.client.enums import JobState
from harken.client.errors import InvalidRequest
from harken.client.export_format import ExportFormat
from harken.client.job import Job
from harken.client.requests import BatchRef
from harken.client.rpc import Rpc
from harken.v1.export_service_pb2 import ExportResultsRequest


def export_results(
    *,
    format: ExportFormat | str,  # noqa: A002 # what everybody calls it
    batch: BatchRef | None,
    states: Iterable[JobState | str] | str | None,
    labels: Mapping[str, str] | None,
    ended_after: datetime | None,
    ended_before: datetime | None,
    priority: int | None,
    request_id: str | UUID | None,
) -> Rpc[Job]:
    """Accepts an export, with a request_id in any case, so that repeating it is safe."""
    wanted: Any = requests.job_states(states)
    request = requests.valid(
        ExportResultsRequest,
        request_id=str(request_id or uuid4()),
        format=_number(format),
        batch_id=None if batch is None else requests.batch_id_of(batch),
        states=[requests.number_of(state) for state in wanted],
        labels=labels,
        ended_after=requests.moment(ended_after),
        ended_before=requests.moment(ended_before),
        priority=priority,
    )
    return Rpc(lambda on: on.exports.ExportResults, request, lambda got: decode(Job, got.job))


def _number(name: ExportFormat | str) -> Any:
    try:
        return ExportResultsRequest.Format.Value(f"FORMAT_{ExportFormat(str(name).lower()).name}")
    except ValueError as error:
        known = ", ".join(ExportFormat)
        raise InvalidRequest(
            f"There is no format {str(name)!r}. There are: {known}.", reason="UNKNOWN_FORMAT"
        ) from error
