"""Retrying and dismissing jobs as requests: any number of jobs, in as many calls as the server's limit wants."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4, uuid5

from harken.client.action import JobOutcome
from harken.client.convert import decode, number_of
from harken.client.enums import JobState
from harken.client.requests import (
    BatchRef,
    JobRef,
    Kinds,
    batch_id_of,
    job_id_of,
    job_states,
    kind_numbers,
    moment,
    valid,
)
from harken.client.rpc import Rpc
from harken.v1 import job_service_pb2 as pb

MAX_JOBS = 1_000
"""Jobs that the server takes in one call, and its largest page of a filter."""

Page = tuple[tuple[JobOutcome, ...], str]


def retry_filter(
    *,
    states: Iterable[JobState | str] | str | None = None,
    batch: BatchRef | None = None,
    labels: Mapping[str, str] | None = None,
    error_kinds: Kinds | None = None,
    ended_after: datetime | None = None,
    ended_before: datetime | None = None,
) -> pb.RetryFilter:
    """The filter of jobs to retry."""
    return valid(
        pb.RetryFilter,
        states=[number_of(state) for state in job_states(states)],
        batch_id=None if batch is None else batch_id_of(batch),
        labels=labels,
        error_kinds=kind_numbers(error_kinds),
        ended_after=moment(ended_after),
        ended_before=moment(ended_before),
    )


class Retries:
    """The calls that retry jobs, each with a request_id of its own, so that repeating it is safe."""

    def __init__(self, *, force: bool, dry_run: bool, request_id: str | UUID | None = None) -> None:
        self._fields: dict[str, Any] = {"force": force, "dry_run": dry_run}
        self._request_id = str(request_id or uuid4())
        self._calls = 0

    def named(self, jobs: Iterable[JobRef]) -> Iterator[Rpc[Page]]:
        """The calls for jobs by their ids."""
        for job_ids in chunks(jobs):
            yield self._call(jobs=pb.JobIds(job_ids=job_ids))

    def found(self, where: pb.RetryFilter, page_token: str) -> Rpc[Page]:
        """The call for a page of a filter."""
        return self._call(filter=where, page_size=MAX_JOBS, page_token=page_token)

    def _call(self, **fields: Any) -> Rpc[Page]:
        request = valid(pb.RetryJobsRequest, request_id=self._next_id(), **self._fields, **fields)
        return Rpc(lambda on: on.jobs.RetryJobs, request, _page)

    def _next_id(self) -> str:
        """The id given for the first call; of the others one that a repetition has too."""
        self._calls += 1
        if self._calls == 1:
            return self._request_id
        try:
            return str(uuid5(UUID(self._request_id), str(self._calls)))
        except ValueError:
            return self._request_id  # which the server has refused with the first call


def dismissals(jobs: Iterable[JobRef]) -> Iterator[Rpc[Page]]:
    """The calls that dismiss jobs by their ids."""
    for job_ids in chunks(jobs):
        request = valid(pb.DismissJobsRequest, job_ids=job_ids)
        yield Rpc(lambda on: on.jobs.DismissJobs, request, _dismissed)


def chunks(jobs: Iterable[JobRef]) -> Iterator[list[str]]:
    """The ids of jobs, each once, in portions that the server takes."""
    job_ids = list(dict.fromkeys(job_id_of(job) for job in jobs))
    for start in range(0, len(job_ids), MAX_JOBS):
        yield job_ids[start : start + MAX_JOBS]


def _page(got: pb.RetryJobsResponse) -> Page:
    return tuple(decode(JobOutcome, outcome) for outcome in got.outcomes), got.next_page_token


def _dismissed(got: pb.DismissJobsResponse) -> Page:
    return tuple(decode(JobOutcome, outcome) for outcome in got.outcomes), ""
