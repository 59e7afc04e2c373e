"""Notices what the broker has lost: a published job that no worker took, and whose message is nowhere to be found.

A Redis that was flushed, restarted empty, or came back with an old snapshot has lost messages; so has a worker that
died between taking one off its queue and writing that down. Each shows in the same way, and is published again.
"""

import logging
from collections.abc import Mapping, Sequence

from harken.jobs.queueing import outbox
from harken.jobs.queueing.outbox import Published
from harken.server.housekeeping.publisher import BrokerGone, Held, Publisher
from harken.server.store import Store

LOG = logging.getLogger(__name__)

# Looks in a row, a second apart. Once is nothing: the message may be on its way to a worker.
LOST_AFTER_LOOKS = 2
# A worker that has the message claims the job in moments, unless it has died, or waits for the database.
STUCK_AFTER_LOOKS = 10


def missed(
    before: Mapping[Published, int], published: Sequence[Published], held: Held
) -> dict[Published, int]:
    """In how many looks in a row each job was in no queue of the broker; those that are in one are left out."""
    return {job: before.get(job, 0) + 1 for job in published if job.job_id not in held.waiting}


def is_lost(job: Published, looks: int, held: Held) -> bool:
    """Whether a job that was missed so often has to be published again."""
    return looks >= (STUCK_AFTER_LOOKS if job.job_id in held.handed_out else LOST_AFTER_LOOKS)


class BrokerWatch:
    """Compares what the broker should have with what it has."""

    def __init__(self, store: Store, publisher: Publisher) -> None:
        self._store = store
        self._publisher = publisher
        self._missed: dict[Published, int] = {}

    async def look(self) -> int:
        """Puts what was lost back into the outbox; returns how many jobs that were."""
        published = await self._store.read(outbox.published)
        if not published:
            self._missed = {}
            return 0
        try:
            held = await self._publisher.held()
        except BrokerGone:
            return 0
        if held is None:
            return 0
        self._missed = missed(self._missed, published, held)
        lost = [job for job, looks in self._missed.items() if is_lost(job, looks, held)]
        if not lost:
            return 0
        put_back = await self._store.write(lambda c: outbox.forget_published(c, lost))
        if put_back:
            LOG.warning("the broker has lost %d waiting jobs: they are published again", put_back)
        return put_back
