"""What one caller does to a server costs the others nothing but a moment: each attack goes on while others are served.

Of the server's process: half-open connections, requests that come in drops, floods, resets, giant metadata.
"""

import asyncio
import contextlib
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import grpc
import psutil
import pytest

from harken.server import serve
from harken.server.interceptors import arrival
from harken.server.serve import running_server
from harken.settings import Settings
from harken.v1.job_service_pb2 import GetJobRequest, ListJobsRequest
from harken.v1.job_service_pb2_grpc import JobServiceStub
from tests.conftest import eventually
from tests.server.conftest import until
from tests.server.guarded import Method, bearer, call, make_key
from tests.server.hostile import (
    CANCEL,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PREFACE,
    RST_STREAM,
    Connection,
    frame,
    headers,
)
from tests.system.test_two_servers import free_port

GET_JOB = "/harken.v1.JobService/GetJob"
SERVED_WITHIN_S = 5.0  # generous: attacker, server and the others share two cores
STORMS = 6
CALLS = 20


@pytest.fixture
def address(settings: Settings) -> Iterator[str]:
    """A server in a process of its own, on a port."""
    settings = replace(settings, listen=f"127.0.0.1:{free_port()}", log_level="WARNING")
    process = subprocess.Popen(
        [sys.executable, "-m", "harken.server"],
        env={**os.environ, **settings.to_environment()},
        stderr=subprocess.DEVNULL,
    )
    host, _, port = settings.listen.rpartition(":")

    def answers() -> bool:
        with contextlib.suppress(OSError):
            socket.create_connection((host, int(port)), timeout=1).close()
            return True
        return False

    try:
        eventually(answers)
        yield settings.listen
    finally:
        process.terminate()
        process.wait(20)


def serves(address: str) -> float:
    """The longest that one of some calls of others took, half of them on connections of their own."""
    worst = 0.0
    with grpc.insecure_channel(address) as kept:
        for number in range(CALLS):
            began = time.monotonic()
            if number % 2:
                options = [("grpc.use_local_subchannel_pool", 1)]
                with grpc.insecure_channel(address, options) as fresh:
                    JobServiceStub(fresh).ListJobs(ListJobsRequest(), timeout=SERVED_WITHIN_S)
            else:
                JobServiceStub(kept).ListJobs(
                    ListJobsRequest(), timeout=SERVED_WITHIN_S, wait_for_ready=True
                )
            worst = max(worst, time.monotonic() - began)
    return worst


@contextlib.contextmanager
def attacking(attack: Callable[[], None]) -> Iterator[list[int]]:
    """The attack again and again, in a thread, for as long as the context is open; how often it was done."""
    stop, done = threading.Event(), [0]

    def run() -> None:
        while not stop.is_set():
            attack()
            done[0] += 1

    thread = threading.Thread(target=run)
    thread.start()
    try:
        eventually(lambda: done[0] > 0)
        yield done
    finally:
        stop.set()
        thread.join()


def test_a_flood_of_connections_leaves_others_served(address: str) -> None:
    def flood() -> None:
        with contextlib.ExitStack() as open_ones:
            for _ in range(50):
                with contextlib.suppress(OSError):
                    open_ones.callback(Connection(address).close)

    with attacking(flood) as done:
        assert serves(address) < SERVED_WITHIN_S
    assert done[0] > 1


def test_storms_of_resets_leave_others_served_and_leave_nothing(address: str) -> None:
    """Calls that are begun and taken back at once, twenty thousand in a burst."""
    block = headers(GET_JOB)

    def storm() -> None:
        connection = Connection(address)
        for first in range(1, 40_000, 400):
            burst = b"".join(
                frame(HEADERS, END_HEADERS, stream, block) + frame(RST_STREAM, 0, stream, CANCEL)
                for stream in range(first, first + 400, 2)
            )
            if not connection.send(burst):
                break
        connection.close()

    with attacking(storm) as done:
        assert serves(address) < SERVED_WITHIN_S
        eventually(lambda: done[0] >= STORMS, within_s=60)
    eventually(lambda: serves(address) < 1)
    memory = _memory_of(address)  # what gRPC keeps for as many calls at once
    for _ in range(STORMS):
        storm()
    eventually(lambda: serves(address) < 1)
    assert _memory_of(address) < memory + 200 * 1024 * 1024


def test_giant_metadata_is_refused_and_leaves_others_served(address: str) -> None:
    giant = headers(GET_JOB, ("x-giant", "y" * 1_000_000))

    def send() -> None:
        connection = Connection(address)
        connection.send(frame(HEADERS, END_STREAM, 1, giant[:16_000]))
        for start in range(16_000, len(giant), 16_000):
            part = giant[start : start + 16_000]
            flags = END_HEADERS if start + 16_000 >= len(giant) else 0
            if not connection.send(frame(CONTINUATION, flags, 1, part)):
                break
        answered: set[int] = set()
        deadline = time.monotonic() + 15
        while not answered & {RST_STREAM, GOAWAY} and time.monotonic() < deadline:
            answered |= {kind for kind, _ in connection.frames(0.1)}
        connection.close()
        assert answered & {RST_STREAM, GOAWAY}

    with attacking(send):
        assert serves(address) < SERVED_WITHIN_S


async def test_metadata_beyond_its_limit_is_refused(settings: Settings) -> None:
    async with (
        running_server(settings) as address,
        grpc.aio.insecure_channel(address) as channel,
    ):
        for size, code in (
            (serve.LARGEST_METADATA // 2, grpc.StatusCode.OK),
            (serve.REFUSED_METADATA + 1, grpc.StatusCode.RESOURCE_EXHAUSTED),
        ):
            answer = await call(
                channel,
                Method("/harken.v1.JobService/ListJobs", False, False),
                ListJobsRequest(),
                (("x", "y" * size),),
            )
            assert answer.code is code


async def test_connections_that_say_nothing_are_closed_and_others_served_meanwhile(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {**dict(serve.OPTIONS), "grpc.server_handshake_timeout_ms": 1_500}
    monkeypatch.setattr(serve, "OPTIONS", tuple(options.items()))
    settings = replace(settings, listen="127.0.0.1:0")
    async with running_server(settings) as address:
        host, _, port = address.rpartition(":")
        half_open = [socket.create_connection((host, int(port)), timeout=30) for _ in range(300)]
        for connection in half_open[::2]:
            connection.sendall(PREFACE[:9])
        assert await asyncio.to_thread(serves, address) < SERVED_WITHIN_S
        # Each gets its end: what the server says of itself, and then nothing more.
        ended = await asyncio.to_thread(lambda: [_to_its_end(one) for one in half_open])
        assert all(ended)


async def test_requests_that_come_in_drops_are_given_up_and_others_served_meanwhile(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrival, "ARRIVES_WITHIN_S", 1.0)
    settings = replace(settings, listen="127.0.0.1:0")
    async with running_server(settings) as address:
        slow = Connection(address)
        block, begun = headers(GET_JOB), b"\0" + struct.pack(">I", 1_000_000) + b"drop"
        calls = range(1, 1_000, 2)
        for stream in calls:
            slow.send(frame(HEADERS, END_HEADERS, stream, block) + frame(DATA, 0, stream, begun))
        assert await asyncio.to_thread(serves, address) < SERVED_WITHIN_S
        ended: set[int] = set()
        async with asyncio.timeout(20):
            while len(ended) < len(calls):
                frames = await asyncio.to_thread(slow.frames, 0.2)
                ended |= {stream for kind, stream in frames if kind == RST_STREAM}
        slow.close()
        await until(lambda: len(asyncio.all_tasks()) < 100)


@pytest.mark.parametrize("authentication", ["none", "keys"])
async def test_what_is_no_message_is_the_callers_fault(
    settings: Settings, authentication: str
) -> None:
    settings = replace(settings, authentication=authentication)
    key = make_key(settings, "ann")
    async with (
        running_server(settings) as address,
        grpc.aio.insecure_channel(address) as channel,
    ):
        for name, streaming in (("GetJob", False), ("StreamProgress", True)):
            method = Method(f"/harken.v1.JobService/{name}", False, streaming)
            answer = await call(channel, method, b"\xff\xff\xff", bearer(key))
            assert answer.code is grpc.StatusCode.INVALID_ARGUMENT
            assert b"MALFORMED_REQUEST" in answer.content
        # The next call is as good as any.
        answer = await call(channel, Method(GET_JOB, False, False), GetJobRequest(), bearer(key))
        assert b"MALFORMED_ID" in answer.content


def _to_its_end(connection: socket.socket) -> bool:
    with contextlib.suppress(ConnectionResetError):
        while connection.recv(65536):
            pass
    connection.close()
    return True


def _memory_of(address: str) -> int:
    """Bytes of memory that the server at a port takes."""
    port = int(address.rpartition(":")[2])
    (server,) = {
        one.pid
        for one in psutil.net_connections("tcp")
        if one.laddr and one.laddr.port == port and one.status == psutil.CONN_LISTEN and one.pid
    }
    return psutil.Process(server).memory_info().rss
