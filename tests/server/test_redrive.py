"""RetryJobs, DismissJobs, the dead letters and the record of all that, asked for over gRPC."""

import json
import uuid

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from harken.jobs import execution
from harken.jobs.job import ErrorKind, JobError
from harken.v1 import action_pb2, job_pb2
from harken.v1 import job_service_pb2 as pb
from harken.v1.source_pb2 import Source
from tests.server.conftest import Served, now

NOBODY = "0197c0de-0000-7000-8000-000000000001"
FAILED, CANCELLED = job_pb2.JOB_STATE_FAILED, job_pb2.JOB_STATE_CANCELLED


async def failed(served: Served, kind: ErrorKind = ErrorKind.TRANSIENT, **labels: str) -> str:
    """The id of a job that has failed."""
    request = pb.SubmitAnalysisRequest(source=Source(path="one.wav"), labels=labels)
    job_id = (await served.jobs.SubmitAnalysis(request)).job.job_id
    fail(served, job_id, kind)
    return job_id


def fail(served: Served, job_id: str, kind: ErrorKind = ErrorKind.TRANSIENT) -> None:
    """A worker fails at the job."""
    error = JobError(kind=kind, reason="WHY", message="Because.")
    with served.hands.database.write() as connection:
        job = execution.claim(connection, job_id, worker="one@test", pid=1, now=now())
        assert job is not None
        execution.fail(connection, job_id, job.attempt, error, now())


def ids(*job_ids: str, **fields: object) -> pb.RetryJobsRequest:
    """A request to retry jobs by their ids."""
    return pb.RetryJobsRequest(jobs=pb.JobIds(job_ids=job_ids), **fields)


def found(**fields: object) -> pb.RetryJobsRequest:
    """A request to retry the jobs that an empty filter finds."""
    return pb.RetryJobsRequest(filter=pb.RetryFilter(), **fields)


async def listed(served: Served, **fields: object) -> list[str]:
    """The ids of the jobs of a list."""
    answer = await served.jobs.ListJobs(pb.ListJobsRequest(page_size=1000, **fields))
    return [job.job_id for job in answer.jobs]


async def refusal(call: object) -> tuple[grpc.StatusCode, str, list[str]]:
    """The status, the reason and the fields of a refused call."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call  # type: ignore[misc]
    metadata = dict(caught.value.trailing_metadata())
    status = status_pb2.Status.FromString(metadata["grpc-status-details-bin"])
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details:
        if not detail.Unpack(info):
            detail.Unpack(bad)
    return caught.value.code(), info.reason, [one.field for one in bad.field_violations]


async def test_retried_jobs_are_new_ones_that_name_the_old(served: Served) -> None:
    old = await failed(served, a="b")

    answer = await served.jobs.RetryJobs(ids(old, NOBODY))

    good, bad = answer.outcomes
    assert answer.retried_count == 1
    assert (good.job_id, good.reason, good.message) == (old, "", "")
    assert (bad.job_id, bad.reason, bad.HasField("new_job_id")) == (NOBODY, "JOB_NOT_FOUND", False)
    assert bad.message
    new = (await served.jobs.GetJob(pb.GetJobRequest(job_id=good.new_job_id))).job
    assert (new.retry_of, new.state, dict(new.labels)) == (
        old,
        job_pb2.JOB_STATE_QUEUED,
        {"a": "b"},
    )
    assert not (await served.jobs.GetJob(pb.GetJobRequest(job_id=old))).job.HasField("retry_of")


async def test_a_second_retry_names_the_first_and_force_overrides(served: Served) -> None:
    old = await failed(served)
    first = (await served.jobs.RetryJobs(ids(old, old))).outcomes
    assert len(first) == 1

    (second,) = (await served.jobs.RetryJobs(ids(old.upper()))).outcomes
    (forced,) = (await served.jobs.RetryJobs(ids(old, force=True))).outcomes

    assert (second.reason, second.new_job_id) == ("ALREADY_RETRIED", first[0].new_job_id)
    assert forced.new_job_id not in {"", first[0].new_job_id}


async def test_repeating_a_request_id_gives_the_same_answer(served: Served) -> None:
    old = await failed(served)
    request = ids(old, force=True, request_id=str(uuid.uuid4()))

    first, second = await served.jobs.RetryJobs(request), await served.jobs.RetryJobs(request)
    other = ids(old, NOBODY, force=True, request_id=request.request_id)

    assert first == second
    assert len(await listed(served)) == 2
    code, reason, _ = await refusal(served.jobs.RetryJobs(other))
    assert (code, reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")


@pytest.mark.parametrize("repeated", [False, True])
async def test_the_pages_of_a_filter_retry_each_job_once(served: Served, repeated: bool) -> None:
    """Also when each call is repeated, as after a lost answer, and when each new job fails at once."""
    old = [await failed(served) for _ in range(5)]
    await failed(served, ErrorKind.INPUT)
    outcomes, token = [], ""
    while True:
        request = found(page_size=2, page_token=token, request_id=str(uuid.uuid4()))
        answer = await served.jobs.RetryJobs(request)
        if repeated:
            again = await served.jobs.RetryJobs(request)
            assert again == answer
        outcomes += answer.outcomes
        for outcome in answer.outcomes:
            fail(served, outcome.new_job_id)
        token = answer.next_page_token
        if not token:
            break
    assert [outcome.job_id for outcome in outcomes] == old
    assert len(await listed(served)) == 11


async def test_a_dry_run_tells_what_would_be_done_and_does_nothing(served: Served) -> None:
    old = [await failed(served) for _ in range(3)]

    first = await served.jobs.RetryJobs(found(page_size=2, dry_run=True))
    token = first.next_page_token
    second = await served.jobs.RetryJobs(found(page_size=2, dry_run=True, page_token=token))

    outcomes = [*first.outcomes, *second.outcomes]
    assert [(outcome.job_id, outcome.new_job_id) for outcome in outcomes] == [
        (job_id, "") for job_id in old
    ]
    assert (first.retried_count, first.HasField("action_id")) == (2, False)
    assert second.next_page_token == ""
    assert len(await listed(served)) == 3
    assert not (await served.jobs.ListActions(pb.ListActionsRequest())).actions


async def test_a_filter_takes_kinds_states_times_labels_and_a_batch(served: Served) -> None:
    began = now()
    bad = await failed(served, ErrorKind.INPUT)
    timeout = await failed(served, ErrorKind.TIMEOUT, a="b")
    item = pb.SubmitBatchRequest.Item(source=Source(path="one.wav"))
    batch = (await served.jobs.SubmitBatch(pb.SubmitBatchRequest(items=[item]))).batch
    await served.jobs.CancelBatch(pb.CancelBatchRequest(batch_id=batch.batch_id))

    async def matched(**fields: object) -> list[str]:
        request = pb.RetryJobsRequest(filter=pb.RetryFilter(**fields), dry_run=True)
        return [each.job_id for each in (await served.jobs.RetryJobs(request)).outcomes]

    assert await matched(error_kinds=[job_pb2.JobError.KIND_INPUT]) == [bad]
    assert await matched(labels={"a": "b"}) == [timeout]
    assert await matched(ended_before=began) == []
    assert await matched(ended_after=began) == [timeout]
    assert len(await matched(batch_id=batch.batch_id, states=[CANCELLED])) == 1
    assert len(await matched(states=[FAILED, CANCELLED])) == 2


@pytest.mark.parametrize(
    ("request_", "reason", "field"),
    [
        (pb.RetryJobsRequest(), "NO_TARGET", "target"),
        (ids(), "NO_JOBS", "jobs.job_ids"),
        (ids(*[NOBODY] * 1001), "TOO_MANY_JOBS", "jobs.job_ids"),
        (ids("x"), "MALFORMED_ID", "jobs.job_ids[0]"),
        (ids(NOBODY, request_id="x"), "MALFORMED_ID", "request_id"),
        (found(page_size=-1), "NEGATIVE_PAGE_SIZE", "page_size"),
        (found(page_token="x"), "INVALID_TOKEN", "page_token"),
        (
            pb.RetryJobsRequest(filter=pb.RetryFilter(states=[job_pb2.JOB_STATE_SUCCEEDED])),
            "STATE_NOT_RETRIED",
            "filter.states[0]",
        ),
        (
            pb.RetryJobsRequest(filter=pb.RetryFilter(states=[77])),
            "UNKNOWN_STATE",
            "filter.states[0]",
        ),
        (
            pb.RetryJobsRequest(filter=pb.RetryFilter(error_kinds=[0])),
            "UNKNOWN_ERROR_KIND",
            "filter.error_kinds[0]",
        ),
        (
            pb.RetryJobsRequest(filter=pb.RetryFilter(ended_after={"seconds": 10**15})),
            "TIME_OUT_OF_RANGE",
            "filter.ended_after",
        ),
        (
            pb.RetryJobsRequest(
                filter=pb.RetryFilter(ended_after={"seconds": 5}, ended_before={"seconds": 5})
            ),
            "EMPTY_TIME_RANGE",
            "filter.ended_before",
        ),
    ],
)
async def test_what_is_wrong_with_a_request_is_named(
    served: Served, request_: pb.RetryJobsRequest, reason: str, field: str
) -> None:
    code, found_reason, fields = await refusal(served.jobs.RetryJobs(request_))
    assert (code, found_reason, fields) == (grpc.StatusCode.INVALID_ARGUMENT, reason, [field])


async def test_a_token_of_another_filter_is_refused(served: Served) -> None:
    for _ in range(2):
        await failed(served)
    token = (await served.jobs.RetryJobs(found(page_size=1))).next_page_token
    for other in (
        found(page_token=token, force=True),
        pb.RetryJobsRequest(filter=pb.RetryFilter(labels={"a": "b"}), page_token=token),
    ):
        code, reason, _ = await refusal(served.jobs.RetryJobs(other))
        assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_TOKEN")


async def test_dead_letters_are_listed_until_they_are_retried_or_dismissed(served: Served) -> None:
    retried, dismissed, left = [await failed(served) for _ in range(3)]
    await failed(served, ErrorKind.INPUT)
    await served.submit()
    assert await listed(served, dead_letters_only=True) == [left, dismissed, retried]

    await served.jobs.RetryJobs(ids(retried))
    answer = await served.jobs.DismissJobs(pb.DismissJobsRequest(job_ids=[dismissed, NOBODY]))

    assert answer.dismissed_count == 1
    assert [outcome.reason for outcome in answer.outcomes] == ["", "JOB_NOT_FOUND"]
    assert await listed(served, dead_letters_only=True) == [left]
    assert await listed(served, error_kinds=[job_pb2.JobError.KIND_TIMEOUT]) == []


async def test_a_list_of_dead_letters_that_can_hold_none_is_refused(served: Served) -> None:
    for fields in (
        {"states": [CANCELLED]},
        {"error_kinds": [job_pb2.JobError.KIND_INPUT]},
    ):
        call = served.jobs.ListJobs(pb.ListJobsRequest(dead_letters_only=True, **fields))
        code, reason, _ = await refusal(call)
        assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "NO_DEAD_LETTERS")


async def test_who_did_what_can_be_read_back(served: Served) -> None:
    old = await failed(served)
    item = pb.SubmitBatchRequest.Item(source=Source(path="one.wav"))
    batch = (await served.jobs.SubmitBatch(pb.SubmitBatchRequest(items=[item] * 2))).batch
    retried = await served.jobs.RetryJobs(
        pb.RetryJobsRequest(filter=pb.RetryFilter(error_kinds=[job_pb2.JobError.KIND_TRANSIENT]))
    )
    await served.jobs.DismissJobs(pb.DismissJobsRequest(job_ids=[old]))
    await served.jobs.CancelBatch(pb.CancelBatchRequest(batch_id=batch.batch_id))
    alone = await served.submit()
    for _ in range(2):  # the second one finds it cancelled
        await served.jobs.CancelJob(pb.CancelJobRequest(job_id=alone))

    first = await served.jobs.ListActions(pb.ListActionsRequest(page_size=2))
    rest = await served.jobs.ListActions(
        pb.ListActionsRequest(page_size=2, page_token=first.next_page_token)
    )

    actions = [*first.actions, *rest.actions]
    kinds = [action_pb2.Action.Kind.Name(action.kind) for action in actions]
    others = ["KIND_CANCEL_BATCH", "KIND_DISMISS_JOBS", "KIND_RETRY_JOBS"]
    assert kinds == ["KIND_CANCEL_JOB", *others]
    assert [(action.done_count, action.refused_count) for action in actions] == [
        (1, 0),
        (2, 0),
        (1, 0),
        (1, 0),
    ]
    assert all(action.actor == "local" and action.peer.startswith("unix:") for action in actions)
    assert json.loads(actions[1].request) == {"batch_id": batch.batch_id}
    assert json.loads(actions[3].request) == {"filter": {"error_kinds": ["KIND_TRANSIENT"]}}
    assert not any(action.outcomes for action in actions)
    assert rest.next_page_token == ""
    whole = await served.jobs.GetAction(pb.GetActionRequest(action_id=retried.action_id))
    assert list(whole.action.outcomes) == list(retried.outcomes)
    whole = await served.jobs.GetAction(pb.GetActionRequest(action_id=actions[0].action_id))
    assert [outcome.job_id for outcome in whole.action.outcomes] == [alone]


async def test_an_action_that_does_not_exist_is_not_found(served: Served) -> None:
    call = served.jobs.GetAction(pb.GetActionRequest(action_id=NOBODY))
    code, reason, _ = await refusal(call)
    assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "ACTION_NOT_FOUND")


async def test_a_thousand_jobs_are_retried_at_once(served: Served) -> None:
    item = pb.SubmitBatchRequest.Item(source=Source(path="one.wav"))
    batch = (await served.jobs.SubmitBatch(pb.SubmitBatchRequest(items=[item] * 1000))).batch
    await served.jobs.CancelBatch(pb.CancelBatchRequest(batch_id=batch.batch_id))

    answer = await served.jobs.RetryJobs(ids(*await listed(served)))

    assert answer.retried_count == 1000
    assert answer.ByteSize() < 4 * 1024 * 1024
