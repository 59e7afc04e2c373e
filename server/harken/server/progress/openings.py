"""How the targets of streams stand when the streams open: read for all that open in the same moment together."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from harken.jobs import standing
from harken.jobs.errors import BatchNotFound, JobNotFound
from harken.jobs.standing import BatchStanding
from harken.jobs.state import HELD
from harken.server.progress.hub import Hub
from harken.server.progress.messages import JobOpening
from harken.server.progress.ticks import Tick
from harken.server.progress.together import Together
from harken.server.store import Store

Standing = TypeVar("Standing", covariant=True)

Key = tuple[str, str]  # the owner, and the id of a job or a batch of theirs


class Openings:
    """Reads of jobs and batches, each for its owner: another's is not found."""

    def __init__(self, store: Store, hub: Hub) -> None:
        self._store = store
        self._hub = hub
        self._jobs = Together(self._read_jobs)
        self._batches = Together(self._read_batches)
        self._items = Together(self._read_items)

    async def job(self, owner: str, job_id: str) -> JobOpening:
        """A job, with its newest tick if it runs. Raises JobNotFound."""
        opening = await self._jobs.get((owner, job_id))
        if opening is None:
            raise JobNotFound(job_id)
        return opening

    async def batch(self, owner: str, batch_id: str) -> BatchStanding:
        """A batch. Raises BatchNotFound."""
        opening = await self._batches.get((owner, batch_id))
        if opening is None:
            raise BatchNotFound(batch_id)
        return opening

    async def items(self, owner: str, batch_id: str) -> tuple[BatchStanding, Mapping[str, Tick]]:
        """A batch, and the newest ticks of its jobs that run. Raises BatchNotFound."""
        opening = await self._items.get((owner, batch_id))
        if opening is None:
            raise BatchNotFound(batch_id)
        return opening

    async def _read_jobs(self, keys: Sequence[Key]) -> Mapping[Key, JobOpening]:
        found = await self._store.read(lambda c: _of_owners(c, keys, standing.of_jobs))
        running = [stands.job.job_id for stands in found.values() if stands.job.state in HELD]
        ticks = await self._hub.ticks(*running)
        return {key: JobOpening(stands, ticks.get(key[1])) for key, stands in found.items()}

    async def _read_batches(self, keys: Sequence[Key]) -> Mapping[Key, BatchStanding]:
        return await self._store.read(lambda c: _of_owners(c, keys, standing.of_batches))

    async def _read_items(
        self, keys: Sequence[Key]
    ) -> Mapping[Key, tuple[BatchStanding, Mapping[str, Tick]]]:
        found = await self._read_batches(keys)
        running = [job.job_id for stands in found.values() for job in stands.running]
        ticks = await self._hub.ticks(*running)
        return {key: (stands, ticks) for key, stands in found.items()}


class _Read(Protocol[Standing]):
    def __call__(
        self, connection: Connection, ids: Collection[str], /, *, owner: str
    ) -> Mapping[str, Standing]: ...


def _of_owners(
    connection: Connection, keys: Sequence[Key], read: _Read[Standing]
) -> dict[Key, Standing]:
    """What `read` finds, with a statement for each owner."""
    ids: dict[str, list[str]] = {}
    for owner, one in keys:
        ids.setdefault(owner, []).append(one)
    return {
        (owner, one): stands
        for owner, some in ids.items()
        for one, stands in read(connection, some, owner=owner).items()
    }
