"""Redis behind TLS: what ends the encryption stands before it, as the Redis of the package speaks none itself."""

import asyncio
import ssl
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import trustme

from harken.redis.address import RedisAddress

CHUNK = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class Encrypted:
    """A port at which Redis answers those who have a certificate, and the files they need."""

    port: int
    files: dict[str, str]

    def url(self, **options: str) -> str:
        """The URL with these files, or others."""
        return f"rediss://localhost:{self.port}/0?{urlencode({**self.files, **options})}"


@contextmanager
def encrypted(redis: str, folder: Path) -> Generator[Encrypted]:
    """A port at which a Redis on a socket is reached by TLS, by those with a certificate of the same authority."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    files = {
        "ssl_ca_certs": str(folder / "ca.pem"),
        "ssl_certfile": str(folder / "client.pem"),
        "ssl_keyfile": str(folder / "client.key"),
    }
    client = authority.issue_cert("harken@example.org")
    authority.cert_pem.write_to_path(files["ssl_ca_certs"])
    client.cert_chain_pems[0].write_to_path(files["ssl_certfile"])
    client.private_key_pem.write_to_path(files["ssl_keyfile"])
    ready: list[int] = []
    begun, stop = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        server = await asyncio.start_server(
            lambda reader, writer: _forward(reader, writer, RedisAddress.of(redis).path),
            "127.0.0.1",
            0,
            ssl=context,
        )
        ready.append(server.sockets[0].getsockname()[1])
        begun.set()
        await stop.wait()
        server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert begun.wait(10)
        yield Encrypted(port=ready[0], files=files)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, socket: str) -> None:
    from_redis, to_redis = await asyncio.open_unix_connection(socket)
    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(_pump(reader, to_redis))
            both.create_task(_pump(from_redis, writer))
    finally:
        writer.transport.abort()
        to_redis.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(CHUNK):
            writer.write(chunk)
            await writer.drain()
    writer.transport.abort()
