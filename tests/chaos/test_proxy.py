"""The proxy forwards, cuts and holds up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.chaos.proxy import Proxy, proxied


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(100):
        writer.write(data)
    writer.close()


@asynccontextmanager
async def echo() -> AsyncIterator[tuple[Proxy, asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection through a proxy to a server that says everything again."""
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    async with server, proxied(server.sockets[0].getsockname()[1]) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        try:
            yield proxy, reader, writer
        finally:
            writer.close()


async def test_what_is_sent_arrives() -> None:
    async with echo() as (_, reader, writer):
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"


async def test_a_cut_connection_is_reset() -> None:
    async with echo() as (proxy, reader, writer):
        writer.write(b"hello")
        await reader.readexactly(5)

        assert proxy.cut() == 2

        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)


async def test_an_answer_that_is_cut_off_was_given() -> None:
    async with echo() as (proxy, reader, writer):
        proxy.cut_at_answer()
        writer.write(b"hello")
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)

        # Once: the next one arrives.
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        writer.close()


async def test_what_is_held_up_arrives_later() -> None:
    async with echo() as (proxy, reader, writer):
        proxy.hold()
        writer.write(b"hello")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(
                asyncio.shield(reading := asyncio.create_task(reader.read(5))), 0.2
            )

        proxy.release()

        assert await reading == b"hello"


async def test_nobody_behind_it_is_an_end() -> None:
    async with echo() as (proxy, _, _):
        proxy._upstream = 1  # a port that nobody listens on
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        assert await reader.read() == b""
        writer.close()
