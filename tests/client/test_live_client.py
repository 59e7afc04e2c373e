"""The sync client where a real connection matters: retries, restarts, timeouts, large messages."""

import threading

import grpc
import pytest

from harken.client import (
    BatchSnapshot,
    Client,
    ClientClosed,
    DeadlineExceeded,
    InvalidRequest,
    Reconnect,
    ServerUnavailable,
    Transition,
)
from harken.v1 import job_service_pb2 as pb
from tests.client.scripted_server import (
    BATCH_ID,
    HOLD,
    JOB_ID,
    STOPPING,
    Refusal,
    ScriptedServer,
    a_job,
    counts,
    events,
    moved,
    snapshot,
    whole_run,
)


def test_the_five_lines_of_the_readme(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARKEN_SERVER", server.target)
    server.answers["SubmitAnalysis"] = pb.SubmitAnalysisResponse(job=a_job())
    server.streams = [whole_run()]
    told: list[str] = []
    with Client() as client:
        job = client.submit("/music/song.flac")
        for event in client.watch(job):
            told.append(str(event))
    assert told[-1] == "SUCCEEDED"


@pytest.mark.parametrize("method", ["SubmitAnalysis", "GetJob"])
def test_a_call_is_repeated_while_the_server_is_unavailable(
    server: ScriptedServer, client: Client, method: str
) -> None:
    answer = pb.SubmitAnalysisResponse if method == "SubmitAnalysis" else pb.GetJobResponse
    server.answers[method] = [STOPPING, STOPPING, answer(job=a_job())]
    got = client.submit("/a.wav") if method == "SubmitAnalysis" else client.get_job(JOB_ID)
    assert got.job_id == JOB_ID
    assert len(server.requests) == 3


def test_a_repeated_submit_carries_the_same_request_id_so_that_one_job_is_made(
    server: ScriptedServer, client: Client
) -> None:
    server.answers["SubmitAnalysis"] = [STOPPING, pb.SubmitAnalysisResponse(job=a_job())]
    client.submit("/a.wav")
    first, second = server.of(pb.SubmitAnalysisRequest)
    assert first.request_id == second.request_id != ""


@pytest.mark.parametrize(
    "code", [grpc.StatusCode.INTERNAL, grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.ABORTED]
)
def test_a_call_is_not_repeated_for_anything_else(
    server: ScriptedServer, client: Client, code: grpc.StatusCode
) -> None:
    server.answers["GetJob"] = Refusal(code, "no", "X")
    with pytest.raises(Exception, match="no"):
        client.get_job(JOB_ID)
    assert len(server.requests) == 1


def test_a_watch_goes_on_over_a_server_that_is_killed_and_started_again(
    server: ScriptedServer, client: Client
) -> None:
    run = whole_run()
    server.streams = [[*run[:3], HOLD], run[3:]]
    away = threading.Event()

    def restart() -> None:
        server.holding.wait()
        server.stop()
        away.wait()
        server.start()

    restarting = threading.Thread(target=restart)
    restarting.start()
    told = [str(update) for update in client.watch(JOB_ID, on_lost=lambda _: away.set())]
    restarting.join()
    assert len(told) == 5
    assert told[-1] == "SUCCEEDED"
    tokens = [request.resume_token for request in server.of(pb.StreamProgressRequest)]
    assert tokens == ["", "t1"]


def test_the_items_of_a_batch_are_watched_over_a_server_that_goes_away(
    server: ScriptedServer, client: Client
) -> None:
    run = [
        counts(total=1, queued=1),
        events("t1", moved(2, "QUEUED", "RUNNING")),
        events("t2", moved(3, "RUNNING", "SUCCEEDED")),
        counts("t2", total=1, succeeded=1),
    ]
    server.streams = [[*run[:2], STOPPING], run[2:]]
    told = [type(update) for update in client.watch_items(BATCH_ID)]
    assert told == [BatchSnapshot, Transition, Transition, BatchSnapshot]
    requests = server.of(pb.StreamProgressRequest)
    assert [(one.resume_token, one.include_items) for one in requests] == [("", True), ("t1", True)]


def test_a_watch_without_a_server_gives_up(server: ScriptedServer) -> None:
    server.stop()
    reconnect = Reconnect(give_up_after=0.05, first_pause=0.01)
    with (
        Client(server.target, reconnect=reconnect) as client,
        pytest.raises(ServerUnavailable, match="No harken server answers"),
    ):
        list(client.watch(JOB_ID))


def test_waiting_ends_with_its_timeout(server: ScriptedServer, client: Client) -> None:
    server.streams = [[*whole_run()[:2], HOLD]]
    with pytest.raises(DeadlineExceeded):
        client.wait(JOB_ID, timeout=0.1)


def test_a_timeout_bounds_the_time_without_a_server_too(server: ScriptedServer) -> None:
    server.stop()
    with (
        Client(server.target, reconnect=Reconnect(first_pause=60, max_pause=60)) as client,
        pytest.raises((DeadlineExceeded, ServerUnavailable)),
    ):
        client.wait(JOB_ID, timeout=0.1)


def test_a_watch_that_is_left_early_is_taken_from_the_server(
    server: ScriptedServer, client: Client
) -> None:
    server.streams = [[*whole_run()[:1], HOLD]]
    for update in client.watch(JOB_ID):
        assert str(update) == "QUEUED"
        break
    assert server.left.wait(10)


def test_a_target_that_does_not_exist_is_no_mystery() -> None:
    with (
        Client("no-such-host.invalid:1", timeout=5) as client,
        pytest.raises(ServerUnavailable, match=r"no-such-host\.invalid:1"),
    ):
        client.get_job(JOB_ID)


def test_a_closed_client_says_so(client: Client) -> None:
    client.close()
    with pytest.raises(ClientClosed):
        client.get_job(JOB_ID)
    with pytest.raises(ClientClosed):
        list(client.watch(JOB_ID))


def test_closing_ends_a_watch_in_another_thread(server: ScriptedServer) -> None:
    server.streams = [[*whole_run()[:2], HOLD]]
    client = Client(server.target)
    caught: list[Exception] = []

    def watch() -> None:
        try:
            list(client.watch(JOB_ID))
        except Exception as error:
            caught.append(error)

    watching = threading.Thread(target=watch)
    watching.start()
    server.holding.wait()
    client.close()
    watching.join()
    assert [type(error) for error in caught] == [ClientClosed]


def test_answers_larger_than_grpcs_default_of_4_mib_arrive(
    server: ScriptedServer, client: Client
) -> None:
    job = a_job("SUCCEEDED")
    job.result.onsets.onsets_s.extend([1.5] * 1_000_000)
    server.answers["GetJob"] = pb.GetJobResponse(job=job)
    result = client.get_job(JOB_ID).result
    assert result is not None
    assert result.onsets is not None
    assert len(result.onsets.onsets_s) == 1_000_000


def test_an_invalid_request_names_its_fields(server: ScriptedServer, client: Client) -> None:
    server.answers["SubmitAnalysis"] = Refusal(
        grpc.StatusCode.INVALID_ARGUMENT, "no", "INVALID", violations=[("priority", "0 to 9")]
    )
    with pytest.raises(InvalidRequest) as caught:
        client.submit("/a.wav", priority=12)
    assert caught.value.field_violations[0].field == "priority"


def test_a_server_that_ends_a_stream_without_an_end_is_asked_for_the_job(
    server: ScriptedServer, client: Client
) -> None:
    server.streams = [[snapshot(a_job())]]
    server.answers["GetJob"] = pb.GetJobResponse(job=a_job("SUCCEEDED"))
    assert client.wait(JOB_ID).state == "SUCCEEDED"
