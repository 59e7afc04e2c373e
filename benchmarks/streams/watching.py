"""Watchers in a process of their own: raw streams, which are counted and not made into values."""

import asyncio
import multiprocessing
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import grpc

from harken.v1.job_service_pb2 import StreamProgressRequest, StreamProgressResponse

METHOD = "/harken.v1.JobService/StreamProgress"
CHANNELS = 4  # a connection each, as if the watchers were a few programs
ANSWER_WITHIN_S = 300.0


@dataclass
class Count:
    """What the watchers of a process have received."""

    opened: int = 0  # streams that have had a first message
    messages: int = 0
    events: int = 0
    ended: int = 0
    failed: int = 0
    first_failure: str = ""
    at: float = 0.0  # when, by the machine's monotonic clock
    cpu_s: float = 0.0  # taken by the watching process


class Watchers:
    """Streams that are read in another process."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def count(self) -> Count:
        """What was received so far."""
        self._connection.send("count")
        if not self._connection.poll(ANSWER_WITHIN_S):
            raise TimeoutError("the watchers do not answer")
        return self._connection.recv()

    def until_opened(self, number: int, within_s: float = ANSWER_WITHIN_S) -> Count:
        """Returns when so many streams have had their first message, or have failed."""
        return self._until(lambda count: count.opened + count.failed >= number, within_s)

    def until_ended(self, number: int, within_s: float = ANSWER_WITHIN_S) -> Count:
        """Returns when so many streams have ended."""
        return self._until(lambda count: count.ended + count.failed >= number, within_s)

    def _until(self, reached: Any, within_s: float) -> Count:
        give_up = time.monotonic() + within_s
        while True:
            count = self.count()
            if reached(count):
                return count
            if time.monotonic() > give_up:
                raise TimeoutError(f"watchers got no further than {count}")
            time.sleep(0.02)


@contextmanager
def watching(address: str, requests: Sequence[StreamProgressRequest]) -> Generator[Watchers]:
    """Opens a stream for each request, all at once, and reads them until the end of the block."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    payload = [request.SerializeToString() for request in requests]
    process = context.Process(target=_run, args=(there, address, payload), daemon=True)
    process.start()
    try:
        yield Watchers(here)
    finally:
        here.send("stop")
        process.join(60)
        if process.is_alive():
            process.kill()


def _run(connection: Connection, address: str, requests: list[bytes]) -> None:
    asyncio.run(_watch(connection, address, requests))


async def _watch(connection: Connection, address: str, requests: list[bytes]) -> None:
    count = Count()
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def answer() -> None:
        if connection.recv() == "stop":
            stop.set()
            return
        count.at, count.cpu_s = time.monotonic(), time.process_time()
        connection.send(count)

    loop.add_reader(connection.fileno(), answer)
    # Channels with the same options would share one connection.
    channels = [
        grpc.aio.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)])
        for _ in range(CHANNELS)
    ]
    methods = [channel.unary_stream(METHOD) for channel in channels]
    streams = [
        asyncio.create_task(_read(methods[number % CHANNELS](request), count))
        for number, request in enumerate(requests)
    ]
    await stop.wait()
    for stream in streams:
        stream.cancel()
    await asyncio.gather(*streams, return_exceptions=True)
    for channel in channels:
        await channel.close()


async def _read(stream: Any, count: Count) -> None:
    first = True
    try:
        while (message := await stream.read()) is not grpc.aio.EOF:
            count.opened += first
            first = False
            count.messages += 1
            count.events += len(StreamProgressResponse.FromString(message).events.events)
        count.ended += 1
    except grpc.aio.AioRpcError as error:
        count.failed += 1
        count.first_failure = count.first_failure or f"{error.code()}: {error.details()}"
