"""Calls about several jobs at once: what is asked for, by whom, and the answer to RetryJobs."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from harken.jobs.action import ActionKind, Asked, Outcome
from harken.jobs.ids import is_id, lowest_id
from harken.jobs.redrive import ByFilter, ByIds
from harken.server import convert, filters, tokens, validate
from harken.server.errors import InvalidRequest, InvalidToken, Violation
from harken.v1.job_service_pb2 import CancelBatchRequest, RetryJobsRequest, RetryJobsResponse

# The ids of jobs stand in the outcomes, and the others say how it was asked for, not what.
_NOT_RECORDED = ("jobs", "request_id", "page_token", "page_size")


@dataclass(frozen=True, kw_only=True)
class RetryCall:
    """A call to RetryJobs; `bound_to` is what its page tokens are bound to."""

    wanted: ByIds | ByFilter
    asked: Asked
    bound_to: object = None

    def response(
        self, outcomes: Sequence[Outcome], page_end: str | None, began: datetime
    ) -> RetryJobsResponse:
        """The answer; `began` is when the first page was asked for, if this is that."""
        response = RetryJobsResponse(
            outcomes=[convert.outcome_message(outcome) for outcome in outcomes],
            retried_count=sum(outcome.refusal is None for outcome in outcomes),
        )
        if page_end is not None and isinstance(self.wanted, ByFilter):
            first = self.wanted.after_id is None
            before_id = lowest_id(began) if first else self.wanted.before_id
            response.next_page_token = tokens.encode(f"{page_end} {before_id}", self.bound_to)
        return response


def retry_call(request: RetryJobsRequest, *, owner: str, peer: str, now: datetime) -> RetryCall:
    """The call of a request. Raises InvalidRequest and InvalidToken."""
    violations = list(validate.request_id_violations("request_id", request))
    if violations:
        raise InvalidRequest(violations)
    wanted, bound_to = _wanted(request, now)
    asked = Asked(
        kind=ActionKind.RETRY_JOBS,
        owner=owner,
        peer=peer,
        request=_recorded(request),
        request_id=request.request_id.lower() if request.HasField("request_id") else None,
        request_hash=hashlib.sha256(request.SerializeToString(deterministic=True)).hexdigest(),
    )
    return RetryCall(wanted=wanted, asked=asked, bound_to=bound_to)


def dismiss_jobs(*, owner: str, peer: str) -> Asked:
    """Who asks for jobs to be dismissed."""
    return Asked(kind=ActionKind.DISMISS_JOBS, owner=owner, peer=peer, request={})


def cancel_job(*, owner: str, peer: str) -> Asked:
    """Who asks for a job to be cancelled."""
    return Asked(kind=ActionKind.CANCEL_JOB, owner=owner, peer=peer, request={})


def cancel_batch(request: CancelBatchRequest, *, owner: str, peer: str) -> Asked:
    """Who asks for a batch to be cancelled."""
    kind = ActionKind.CANCEL_BATCH
    return Asked(kind=kind, owner=owner, peer=peer, request=_recorded(request))


def _wanted(request: RetryJobsRequest, now: datetime) -> tuple[ByIds | ByFilter, object]:
    """The jobs that a request is about, and what its page tokens are bound to."""
    match request.WhichOneof("target"):
        case "jobs":
            job_ids = validate.identifiers("jobs.job_ids", request.jobs.job_ids)
            return ByIds(job_ids=job_ids), None
        case "filter":
            where = filters.retry_filter(request.filter)
            bound_to = ["retry", request.force, *filters.bound_to(where)]
            after_id, before_id = _page(request.page_token, bound_to)
            wanted = ByFilter(
                where=where,
                limit=validate.page_size(request.page_size),
                before_id=before_id or lowest_id(now),
                after_id=after_id,
            )
            return wanted, bound_to
        case _:
            description = "Name jobs, or a filter; an empty one finds all that failed, INPUT apart."
            raise InvalidRequest([Violation("target", "NO_TARGET", description)])


def _recorded(request: Message) -> dict[str, object]:
    fields = MessageToDict(request, preserving_proto_field_name=True)
    return {name: value for name, value in fields.items() if name not in _NOT_RECORDED}


def _page(page_token: str, bound_to: object) -> tuple[str | None, str | None]:
    """After which job the page begins, and below which all its jobs are."""
    if not page_token:
        return None, None
    value = tokens.decode(page_token, bound_to, field="page_token")
    after_id, _, before_id = str(value).partition(" ")
    if not is_id(after_id) or not is_id(before_id):
        raise InvalidToken("page_token")
    return after_id, before_id
