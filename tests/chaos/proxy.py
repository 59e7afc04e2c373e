"""A TCP proxy between two parts of the system, whose connections can be cut and held up."""

import asyncio
import socket
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

CHUNK = 64 * 1024
# Closing sends a reset instead of an orderly end, as a router that forgot the connection does.
RESET_ON_CLOSE = struct.pack("ii", 1, 0)

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Proxy:
    """Forwards a port of this machine to `upstream`: a port, or the path of a unix socket."""

    def __init__(self, upstream: int | Path) -> None:
        self._upstream = upstream
        self._open = asyncio.Event()
        self._open.set()
        self._mute = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def start(self) -> None:
        """Listens on a free port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Ends all connections and listens no more."""
        if self._server is not None:
            self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> int:
        """Resets all connections; returns how many ends they had."""
        ends = len(self._writers)
        for writer in tuple(self._writers):
            _reset(writer)
        return ends

    def cut_at_answer(self) -> None:
        """Cuts when upstream says something next: what it was asked for is done, and nobody hears of it.

        May be called from any thread.
        """
        self._mute = True

    def hold(self) -> None:
        """Forwards nothing from now on; connections are made, and nobody answers."""
        self._open.clear()

    def release(self) -> None:
        """Forwards again, what was held up too."""
        self._open.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with suppress(OSError):
                await self._connect((reader, writer))
        except asyncio.CancelledError:
            pass  # by `stop`
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _connect(self, near: Streams) -> None:
        await self._open.wait()
        far = await self._dial()
        self._writers |= {near[1], far[1]}
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(near[0], far[1]))
                group.create_task(self._pump(far[0], near[1], answers=True))
        finally:
            self._writers -= {near[1], far[1]}
            far[1].close()

    async def _dial(self) -> Streams:
        if isinstance(self._upstream, Path):
            return await asyncio.open_unix_connection(str(self._upstream))
        return await asyncio.open_connection("127.0.0.1", self._upstream)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool = False
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                await self._open.wait()
                if answers and self._mute:
                    self._mute = False
                    self.cut()
                    break
                writer.write(data)
                await writer.drain()
        # One end has gone: the other one hears of it, and its pump ends too.
        writer.close()


@asynccontextmanager
async def proxied(upstream: int | Path) -> AsyncGenerator[Proxy]:
    """A proxy that listens within."""
    proxy = Proxy(upstream)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()


def _reset(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    if connection is not None and connection.family != socket.AF_UNIX:
        with suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    writer.transport.abort()
