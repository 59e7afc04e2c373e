"""The subscription to progress, where its connections end."""

import asyncio

from harken.server.event_loop import new_event_loop
from harken.server.progress.ticks import TickSubscription
from tests.conftest import running_redis


def test_a_connection_that_ends_between_two_steps_of_a_read_is_one_without_ticks() -> None:
    """On the server's own event loop, which has its own word for it."""

    async def read_on() -> None:
        with running_redis() as url:
            ticks = TickSubscription(url, lambda *_: None, lambda _: None)
            assert await ticks.read(["a"]) == {}
            (connection,) = ticks._reader.connection_pool._available_connections
            send = connection.send_command

            async def send_too_late(*command: object, **options: object) -> None:
                connection.send_command = send
                connection._writer.transport.abort()
                await send(*command, **options)

            connection.send_command = send_too_late
            assert await ticks.read(["a"]) == {}
            assert connection.send_command == send  # it was too late
            assert await ticks.read(["a"]) == {}
            await ticks.stop()

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(read_on())
