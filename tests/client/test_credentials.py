"""A key goes with each call, and to nobody who should not have it."""

import time
from dataclasses import replace
from pathlib import Path

import grpc
import pytest

from harken.client import AsyncClient, Client, InvalidRequest, LimitExceeded
from harken.client.channel import is_local
from harken.client.credentials import key_from, metadata_for, transport_from
from harken.client.deadline import Deadline
from harken.client.reconnect import pause_before_another
from harken.v1.job_service_pb2 import GetJobResponse
from tests.client.scripted_server import JOB_ID, Refusal, ScriptedServer, a_job, whole_run

KEY = "hk_0123456789_" + "s3cret" * 7 + "0"
ELSEWHERE = ["there:1", "10.0.0.1:1", "localhost.example.org:1", "127.example.org:1", "[::2]:1"]
HERE = ["localhost:1", "127.0.0.1:1", "127.9.9.9", "[::1]:1", "unix:/a", "dns:///localhost:1"]


def test_the_key_given_wins_over_the_variable_and_that_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("from-file\n")
    variables = {"HARKEN_KEY": "from-variable", "HARKEN_KEY_FILE": str(file)}
    assert key_from("given", variables) == "given"
    assert key_from(None, variables) == "from-variable"
    assert key_from(None, {**variables, "HARKEN_KEY": ""}) == "from-file"
    assert key_from(None, {}) is None


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"HARKEN_KEY_FILE: .*/none"):
        key_from(None, {"HARKEN_KEY_FILE": str(tmp_path / "none")})


@pytest.mark.parametrize("text", ["a b", "a\nb", "schlüssel", "a\x7f"])
def test_what_cannot_be_a_key_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        key_from(text, {})
    assert text not in str(refused.value)


@pytest.mark.parametrize("target", ELSEWHERE)
def test_a_key_is_not_sent_in_the_clear_to_another_machine(target: str) -> None:
    assert not is_local(target)
    with pytest.raises(InvalidRequest) as refused:
        metadata_for(target, KEY, is_secure=False, environment={})
    assert refused.value.reason == "KEY_OVER_PLAINTEXT"
    assert KEY not in str(refused.value)
    assert metadata_for(target, KEY, is_secure=True, environment={})
    assert metadata_for(target, KEY, is_secure=False, insecure=True, environment={})
    assert metadata_for(target, KEY, is_secure=False, environment={"HARKEN_INSECURE": "1"})
    assert metadata_for(target, None, is_secure=False, environment={}) == ()


@pytest.mark.parametrize("target", HERE)
def test_within_this_machine_it_is(target: str) -> None:
    assert is_local(target)
    assert metadata_for(target, KEY, is_secure=False, environment={}) == (
        ("authorization", f"Bearer {KEY}"),
    )


def test_both_clients_refuse_to_send_it_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HARKEN_KEY", KEY)
    for kind in (Client, AsyncClient):
        with pytest.raises(InvalidRequest, match="was not sent"):
            kind("there:1")


def test_tls_is_by_what_is_given_or_by_the_variables(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("an authority")
    assert transport_from(None, None, {}) is None
    assert transport_from(file, None, {}) is not None
    assert transport_from(None, None, {"HARKEN_CA": "public"}) is not None
    assert transport_from(None, None, {"HARKEN_CERT": str(file)}) is not None
    with pytest.raises(InvalidRequest, match=r"HARKEN_CA: .*cannot be read"):
        transport_from(tmp_path / "none", None, {})


def refused(after: float | None) -> LimitExceeded:
    """What a server says that asks for a pause."""
    return LimitExceeded("too many", retry_after=after)


def test_a_pause_that_the_server_asks_for_is_kept_and_hardly_longer() -> None:
    for chance in (0.0, 0.5, 0.999):
        pause = pause_before_another(refused(4.0), Deadline(30), lambda chance=chance: chance)
        assert 4.0 <= pause < 5.0
    assert pause_before_another(refused(4.0), Deadline(None), lambda: 0.0) == 4.0


def test_a_pause_beyond_the_call_s_time_is_not_waited_for() -> None:
    for error, left in ((refused(4.0), 3.0), (refused(None), 3.0), (refused(4.0), 0.0)):
        with pytest.raises(LimitExceeded):
            pause_before_another(error, Deadline(left))
    assert pause_before_another(refused(2.9), Deadline(3.0), lambda: 1.0) == pytest.approx(
        2.95, abs=0.01
    )


FULL = Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "full", "QUOTA_EXCEEDED", retry_after_s=0.05)


def test_the_client_shows_its_key_with_calls_and_streams(server: ScriptedServer) -> None:
    server.answers["GetJob"] = GetJobResponse(job=a_job("SUCCEEDED"))
    server.streams = [whole_run()]
    with Client(server.target, key=KEY) as client:
        client.wait(JOB_ID)
    assert len(server.metadata) == 2
    assert {came["authorization"] for came in server.metadata} == {f"Bearer {KEY}"}


async def test_the_asyncio_client_does_so_too(server: ScriptedServer) -> None:
    server.answers["GetJob"] = GetJobResponse(job=a_job("SUCCEEDED"))
    server.streams = [whole_run()]
    async with AsyncClient(server.target, key=KEY) as client:
        await client.wait(JOB_ID)
    assert [came["authorization"] for came in server.metadata] == [f"Bearer {KEY}"] * 2


def test_a_call_that_is_refused_for_now_is_made_again_as_told(server: ScriptedServer) -> None:
    server.answers["GetJob"] = [FULL, FULL, GetJobResponse(job=a_job())]
    with Client(server.target) as client:
        began = time.monotonic()
        assert client.get_job(JOB_ID).job_id == JOB_ID
    assert time.monotonic() - began >= 0.1


async def test_so_does_the_asyncio_client(server: ScriptedServer) -> None:
    server.answers["GetJob"] = [FULL, FULL, GetJobResponse(job=a_job())]
    async with AsyncClient(server.target) as client:
        began = time.monotonic()
        assert (await client.get_job(JOB_ID)).job_id == JOB_ID
    assert time.monotonic() - began >= 0.1


def test_within_the_call_s_own_time(server: ScriptedServer) -> None:
    server.answers["GetJob"] = [FULL, FULL, replace(FULL, retry_after_s=31)]
    began = time.monotonic()
    with Client(server.target) as client, pytest.raises(LimitExceeded) as over:
        client.get_job(JOB_ID, timeout=30)
    assert time.monotonic() - began < 30
    assert over.value.retry_after == 31
    assert len(server.requests) == 3
