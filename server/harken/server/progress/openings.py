"""How the targets of streams stand when the streams open: read for all that open in the same moment together."""

from collections.abc import Mapping, Sequence

from harken.jobs import standing
from harken.jobs.errors import BatchNotFound, JobNotFound
from harken.jobs.standing import BatchStanding
from harken.jobs.state import HELD
from harken.server.progress.hub import Hub
from harken.server.progress.messages import JobOpening
from harken.server.progress.ticks import Tick
from harken.server.progress.together import Together
from harken.server.store import Store


class Openings:
    """Reads of one owner's jobs and batches."""

    def __init__(self, store: Store, hub: Hub, owner: str) -> None:
        self._store = store
        self._hub = hub
        self._owner = owner
        self._jobs = Together(self._read_jobs)
        self._batches = Together(self._read_batches)
        self._items = Together(self._read_items)

    async def job(self, job_id: str) -> JobOpening:
        """A job, with its newest tick if it runs. Raises JobNotFound."""
        opening = await self._jobs.get(job_id)
        if opening is None:
            raise JobNotFound(job_id)
        return opening

    async def batch(self, batch_id: str) -> BatchStanding:
        """A batch. Raises BatchNotFound."""
        opening = await self._batches.get(batch_id)
        if opening is None:
            raise BatchNotFound(batch_id)
        return opening

    async def items(self, batch_id: str) -> tuple[BatchStanding, Mapping[str, Tick]]:
        """A batch, and the newest ticks of its jobs that run. Raises BatchNotFound."""
        opening = await self._items.get(batch_id)
        if opening is None:
            raise BatchNotFound(batch_id)
        return opening

    async def _read_jobs(self, job_ids: Sequence[str]) -> Mapping[str, JobOpening]:
        found = await self._store.read(lambda c: standing.of_jobs(c, job_ids, owner=self._owner))
        running = [job_id for job_id, stands in found.items() if stands.job.state in HELD]
        ticks = await self._hub.ticks(*running)
        return {job_id: JobOpening(stands, ticks.get(job_id)) for job_id, stands in found.items()}

    async def _read_batches(self, batch_ids: Sequence[str]) -> Mapping[str, BatchStanding]:
        return await self._store.read(
            lambda c: standing.of_batches(c, batch_ids, owner=self._owner)
        )

    async def _read_items(
        self, batch_ids: Sequence[str]
    ) -> Mapping[str, tuple[BatchStanding, Mapping[str, Tick]]]:
        found = await self._read_batches(batch_ids)
        running = [job.job_id for stands in found.values() for job in stands.running]
        ticks = await self._hub.ticks(*running)
        return {batch_id: (stands, ticks) for batch_id, stands in found.items()}
