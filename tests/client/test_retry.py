"""Retries by the clients and the command line, against a live server whose answers are written down."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner, Result

from harken.client import Action, AsyncClient, Client, InvalidRequest, JobOutcome
from harken.client.cli import cli
from harken.v1 import action_pb2, job_pb2
from harken.v1 import job_service_pb2 as pb
from tests.client.scripted_server import JOB_ID, ScriptedServer, a_job

NEW_ID = "01890000-0000-7000-8000-00000000000a"
GOOD = action_pb2.JobOutcome(job_id=JOB_ID, new_job_id=NEW_ID)
BAD = action_pb2.JobOutcome(
    job_id=JOB_ID, new_job_id=NEW_ID, reason="ALREADY_RETRIED", message="It was retried before."
)
ACTION = action_pb2.Action(
    action_id=NEW_ID,
    kind=action_pb2.Action.KIND_RETRY_JOBS,
    actor="local",
    peer="unix:",
    request='{"force": true}',
    done_count=1,
    refused_count=1,
)
MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

Run = Callable[..., Result]


@pytest.fixture
def run(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `harken` with arguments against the scripted server."""
    monkeypatch.setenv("HARKEN_SERVER", server.target)
    return lambda *arguments: CliRunner().invoke(cli, arguments, prog_name="harken")


def numbered(count: int) -> list[str]:
    """So many ids."""
    return [str(UUID(int=number)) for number in range(count)]


def all_good(request: pb.RetryJobsRequest) -> pb.RetryJobsResponse:
    """Each job of the request is retried."""
    outcomes = [action_pb2.JobOutcome(job_id=job_id) for job_id in request.jobs.job_ids]
    return pb.RetryJobsResponse(outcomes=outcomes)


def test_more_jobs_than_the_server_takes_at_once_go_in_several_calls(
    client: Client, server: ScriptedServer
) -> None:
    server.answers["RetryJobs"] = all_good
    job_ids = numbered(2_500)
    outcomes = client.retry_jobs([*job_ids, job_ids[0]], force=True)
    assert [outcome.job_id for outcome in outcomes] == job_ids
    requests = server.of(pb.RetryJobsRequest)
    assert [len(request.jobs.job_ids) for request in requests] == [1000, 1000, 500]
    assert all(request.force for request in requests)
    assert len({UUID(request.request_id) for request in requests}) == 3


def test_a_request_id_of_one_s_own_makes_each_of_several_calls_repeatable(
    client: Client, server: ScriptedServer
) -> None:
    server.answers["RetryJobs"] = all_good
    mine = uuid4()
    for _ in range(2):
        client.retry_jobs(numbered(1_001), request_id=mine)
    sent = [request.request_id for request in server.of(pb.RetryJobsRequest)]
    assert sent[:2] == sent[2:]
    assert sent[0] == str(mine) != sent[1]


def test_all_pages_of_a_filter_are_asked_for(client: Client, server: ScriptedServer) -> None:
    server.answers["RetryJobs"] = [
        pb.RetryJobsResponse(outcomes=[GOOD], next_page_token="t"),
        pb.RetryJobsResponse(outcomes=[BAD]),
    ]
    outcomes = client.retry_matching(
        states=["failed"],
        error_kinds=["transient", "TIMEOUT"],
        labels={"a": "b"},
        batch=NEW_ID,
        ended_after=MOMENT,
        ended_before=MOMENT + timedelta(hours=1),
        dry_run=True,
    )
    assert outcomes == (
        JobOutcome(job_id=JOB_ID, new_job_id=NEW_ID),
        JobOutcome(
            job_id=JOB_ID,
            new_job_id=NEW_ID,
            reason="ALREADY_RETRIED",
            message="It was retried before.",
        ),
    )
    first, second = server.of(pb.RetryJobsRequest)
    assert (first.page_token, second.page_token, first.dry_run) == ("", "t", True)
    assert first.filter == second.filter
    assert (list(first.filter.states), list(first.filter.error_kinds)) == ([5], [2, 3])
    assert (dict(first.filter.labels), first.filter.batch_id) == ({"a": "b"}, NEW_ID)
    assert first.filter.ended_after.ToDatetime(tzinfo=UTC) == MOMENT
    assert first.filter.HasField("ended_before")


async def test_the_asyncio_client_does_the_same(server: ScriptedServer) -> None:
    server.answers["RetryJobs"] = [
        pb.RetryJobsResponse(outcomes=[GOOD], next_page_token="t"),
        pb.RetryJobsResponse(outcomes=[BAD]),
        pb.RetryJobsResponse(outcomes=[GOOD]),
    ]
    server.answers["DismissJobs"] = pb.DismissJobsResponse(outcomes=[GOOD])
    server.answers["ListActions"] = pb.ListActionsResponse(actions=[ACTION])
    server.answers["GetAction"] = pb.GetActionResponse(action=ACTION)
    async with AsyncClient(server.target) as client:
        assert len(await client.retry_matching()) == 2
        assert len(await client.retry_jobs([JOB_ID])) == 1
        assert len(await client.dismiss_jobs([JOB_ID])) == 1
        (listed,) = [action async for action in client.list_actions()]
        assert await client.get_action(NEW_ID) == listed


def test_actions_come_as_values(client: Client, server: ScriptedServer) -> None:
    server.answers["ListActions"] = [
        pb.ListActionsResponse(actions=[ACTION], next_page_token="t"),
        pb.ListActionsResponse(actions=[ACTION]),
    ]
    first, second = client.list_actions()
    assert (
        first
        == second
        == Action(
            action_id=NEW_ID,
            kind=first.kind,
            actor="local",
            peer="unix:",
            request='{"force": true}',
            done_count=1,
            refused_count=1,
        )
    )
    assert first.kind == "RETRY_JOBS"


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"error_kinds": ["bad"]}, "UNKNOWN_KIND_OF_ERROR"),
        ({"states": ["bad"]}, "UNKNOWN_STATE"),
        ({"ended_after": datetime(2026, 1, 1)}, "NAIVE_TIME"),
    ],
)
def test_what_cannot_be_meant_is_said_before_the_call(
    client: Client, server: ScriptedServer, wrong: dict[str, Any], reason: str
) -> None:
    for call in (client.retry_matching, lambda **fields: list(client.list_jobs(**fields))):
        with pytest.raises(InvalidRequest) as caught:
            call(**wrong)
        assert caught.value.reason == reason
    assert not server.requests


def test_retry_prints_what_became_of_each_job_and_ends_with_1_when_one_was_refused(
    run: Run, server: ScriptedServer
) -> None:
    server.answers["RetryJobs"] = [
        pb.RetryJobsResponse(outcomes=[GOOD]),
        pb.RetryJobsResponse(outcomes=[GOOD, BAD]),
    ]
    good, mixed = run("retry", JOB_ID), run("retry", JOB_ID, JOB_ID)
    assert (good.exit_code, good.stdout) == (0, f"{JOB_ID}  retried as {NEW_ID}\n")
    assert good.stderr == "1 job retried.\n"
    assert mixed.exit_code == 1
    assert mixed.stdout.splitlines()[1] == (
        f"{JOB_ID}  ALREADY_RETRIED {NEW_ID}: It was retried before."
    )
    assert mixed.stderr == "1 job retried, 1 not.\n"


def test_retry_sends_the_filter_of_its_options(run: Run, server: ScriptedServer) -> None:
    server.answers["RetryJobs"] = pb.RetryJobsResponse(
        outcomes=[action_pb2.JobOutcome(job_id=JOB_ID)]
    )
    result = run(
        *("retry", "--failed", "--cancelled", "--kind", "transient", "--since", "2h"),
        *("--until", "2200-01-31T12:00+01:00", "--label", "a=b", "--batch", NEW_ID, "--dry-run"),
    )
    assert (result.exit_code, result.stdout) == (0, f"{JOB_ID}  would be retried\n")
    (request,) = server.of(pb.RetryJobsRequest)
    where = request.filter
    assert request.dry_run
    assert list(where.states) == [job_pb2.JOB_STATE_FAILED, job_pb2.JOB_STATE_CANCELLED]
    assert list(where.error_kinds) == [job_pb2.JobError.KIND_TRANSIENT]
    assert (dict(where.labels), where.batch_id) == ({"a": "b"}, NEW_ID)
    two_hours_ago = datetime.now(UTC) - timedelta(hours=2)
    assert abs(where.ended_after.ToDatetime(tzinfo=UTC) - two_hours_ago) < timedelta(minutes=2)
    assert where.ended_before.ToDatetime(tzinfo=UTC) == datetime(2200, 1, 31, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "harken retry --failed"),
        (["--since", "2h"], "harken retry --failed"),
        ([JOB_ID, "--failed"], "not both"),
        ([JOB_ID, "--since", "2h"], "not both"),
        (["--failed", "--since", "soon"], "is no moment such as"),
        (["--failed", "--since", "99999999999d"], "is no moment such as"),
        (["--failed", "--kind", "bad"], "'transient'"),
    ],
)
def test_a_retry_of_nothing_or_of_both_is_wrong_usage(
    run: Run, server: ScriptedServer, arguments: list[str], words: str
) -> None:
    result = run("retry", *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert not server.requests


def test_dismiss_names_what_was_dismissed(run: Run, server: ScriptedServer) -> None:
    server.answers["DismissJobs"] = pb.DismissJobsResponse(
        outcomes=[action_pb2.JobOutcome(job_id=JOB_ID)]
    )
    result = run("dismiss", JOB_ID)
    assert (result.exit_code, result.stdout) == (0, f"{JOB_ID}  dismissed\n")


def test_dead_letters_are_listed_by_their_own_filter(run: Run, server: ScriptedServer) -> None:
    error = job_pb2.JobError(kind=job_pb2.JobError.KIND_TIMEOUT, reason="TIME_LIMIT")
    server.answers["ListJobs"] = [
        pb.ListJobsResponse(jobs=[a_job("FAILED", error=error)]),
        pb.ListJobsResponse(),
    ]
    result = run("dead-letters", "--kind", "timeout", "--since", "1d")
    assert result.exit_code == 0
    assert "TIMEOUT TIME_LIMIT" in result.stdout
    assert run("dead-letters").stderr == "No dead letters.\n"
    request, _ = server.of(pb.ListJobsRequest)
    assert request.dead_letters_only
    assert list(request.error_kinds) == [job_pb2.JobError.KIND_TIMEOUT]
    assert request.HasField("ended_after")


def test_audit_lists_actions_and_shows_one_with_its_jobs(run: Run, server: ScriptedServer) -> None:
    whole = action_pb2.Action()
    whole.CopyFrom(ACTION)
    whole.outcomes.extend([GOOD, BAD])
    server.answers["ListActions"] = pb.ListActionsResponse(actions=[ACTION])
    server.answers["GetAction"] = pb.GetActionResponse(action=whole)
    listed, one, as_json = run("audit"), run("audit", NEW_ID), run("audit", "--json")
    assert listed.exit_code == one.exit_code == 0
    assert "retry jobs" in listed.stdout
    assert "local unix:" in listed.stdout
    assert one.stdout.splitlines()[-1].split() == [JOB_ID, NEW_ID, "ALREADY_RETRIED"]
    assert json.loads(as_json.stdout)["kind"] == "KIND_RETRY_JOBS"


def test_a_job_says_of_which_it_is_a_retry(run: Run, server: ScriptedServer) -> None:
    server.answers["GetJob"] = pb.GetJobResponse(job=a_job(retry_of=NEW_ID))
    lines = run("job", JOB_ID).stdout.splitlines()
    assert ["Retry", "of", NEW_ID] in [line.split() for line in lines]
