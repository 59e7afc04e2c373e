"""Each server process is known to be there, whether it leads or follows."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from harken.jobs import clock
from harken.jobs.errors import StillAlive
from harken.jobs.store.database import Database
from harken.jobs.upkeep import restore
from harken.server.serve import running_server
from harken.settings import Settings
from tests.conftest import eventually


def alive(database: Database) -> tuple[str, ...]:
    """Who works with the database."""
    with database.read() as connection:
        return restore.alive(connection, clock.now(connection))


async def test_a_server_that_follows_keeps_a_backup_from_being_restored_too(
    settings: Settings, tmp_path: Path
) -> None:
    database = Database(settings.database_url, pooled=False)
    other = replace(settings, listen=f"unix:{tmp_path / 'other.sock'}")

    async with running_server(settings):
        await asyncio.to_thread(eventually, lambda: len(alive(database)) == 1)
        (first,) = alive(database)
        async with running_server(other):
            await asyncio.to_thread(eventually, lambda: len(alive(database)) == 2)
            (second,) = set(alive(database)) - {first}
            with pytest.raises(StillAlive) as refused:
                restore.restore(database, tmp_path / "backup", force=False)
            assert set(refused.value.names) == {first, second}
            assert first in str(refused.value)
            assert second in str(refused.value)
        assert alive(database) == (first,)
    assert alive(database) == ()
