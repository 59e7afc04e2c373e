"""Who sends submits: `callers` at once, each waiting for its answer, from one process and one event loop.

    python -m benchmarks.service.load grpc|http ADDRESS CALLERS SECONDS PATH

Requests are encoded with little effort, and answers are not decoded: what this process does beside sending and
receiving is next to nothing, for both protocols. It prints one line of JSON.
"""

import asyncio
import json
import sys
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from typing import Final

import grpc

from harken.server.event_loop import new_event_loop
from harken.v1.job_service_pb2 import SubmitAnalysisRequest
from harken.v1.source_pb2 import Source

WARM_UP_S: Final = 1.0
METHOD: Final = "/harken.v1.JobService/SubmitAnalysis"
Send = Callable[[], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Load:
    """What was measured: rate, latencies, and processor time of this process for one request."""

    requests: int
    per_s: float
    p50_ms: float
    p99_ms: float
    cpu_s: float


async def measure(senders: list[Send], seconds: float) -> Load:
    """Calls each sender again and again; what is answered in the first second is not counted."""
    loop = asyncio.get_running_loop()
    begin = loop.time() + WARM_UP_S
    end = begin + seconds
    latencies: list[float] = []

    async def caller(send: Send) -> None:
        while (sent := loop.time()) < end:
            await send()
            if (answered := loop.time()) >= begin:
                latencies.append(answered - sent)

    async def cpu_at_begin() -> float:
        await asyncio.sleep(begin - loop.time())
        return time.process_time()

    cpu_before = asyncio.ensure_future(cpu_at_begin())
    await asyncio.gather(*(caller(send) for send in senders))
    cpu_s = await cpu_before
    took = loop.time() - begin
    ordered = sorted(latencies)
    return Load(
        requests=len(ordered),
        per_s=len(ordered) / took,
        p50_ms=ordered[len(ordered) // 2] * 1000,
        p99_ms=ordered[int(len(ordered) * 0.99)] * 1000,
        cpu_s=time.process_time() - cpu_s,
    )


async def grpc_load(address: str, callers: int, seconds: float, path: str) -> Load:
    """Over one channel, as one client has it, each request with a request_id of its own."""
    template = SubmitAnalysisRequest(source=Source(path=path))
    async with grpc.aio.insecure_channel(address) as channel:
        call = channel.unary_unary(METHOD)

        async def send() -> None:
            template.request_id = str(uuid.uuid4())
            await call(template.SerializeToString())

        await channel.channel_ready()
        return await measure([send] * callers, seconds)


async def http_load(address: str, callers: int, seconds: float, path: str) -> Load:
    """Over a kept connection for each caller."""
    host, _, port = address.rpartition(":")
    body = json.dumps({"path": path}).encode()
    request = (
        f"POST /jobs HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body

    async with AsyncExitStack() as stack:

        async def sender() -> Send:
            reader, writer = await asyncio.open_connection(host, int(port))
            stack.callback(writer.close)

            async def send() -> None:
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                if not head.startswith(b"HTTP/1.1 201"):
                    raise RuntimeError(head.decode())
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
                await reader.readexactly(int(length))

            return send

        return await measure([await sender() for _ in range(callers)], seconds)


def main() -> None:
    """Sends, and prints."""
    protocol, address, callers, seconds, path = sys.argv[1:]
    run = grpc_load if protocol == "grpc" else http_load
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        load = runner.run(run(address, int(callers), float(seconds), path))
    print(json.dumps(asdict(load)))


if __name__ == "__main__":
    main()
