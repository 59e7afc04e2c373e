"""What the tests of the client share: a server whose answers they write, and quick reconnects."""

from collections.abc import Iterator

import pytest

from harken.client import Client, Reconnect
from tests.client.scripted_server import ScriptedServer

QUICK = Reconnect(give_up_after=20.0, first_pause=0.005, max_pause=0.02)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A live server that answers what the test writes down."""
    scripted = ScriptedServer()
    scripted.start()
    yield scripted
    scripted.close()


@pytest.fixture
def client(server: ScriptedServer) -> Iterator[Client]:
    """A sync client of that server."""
    with Client(server.target, reconnect=QUICK) as connected:
        yield connected
