"""What time calls for, in the database alone: jobs of lost workers, missed deadlines, retries that are due."""

import logging

from harken.jobs import clock, deadlines, leases
from harken.jobs.queueing import outbox
from harken.server.store import Store
from harken.settings import Settings

LOG = logging.getLogger(__name__)


async def reap(store: Store, settings: Settings) -> int:
    """Puts jobs of lost workers back, or fails them; returns how many."""
    if not await store.query(lambda c: leases.any_expired(c, clock.now(c))):
        return 0
    crashes = settings.max_crashes
    reaped = await store.write(lambda c: leases.reap(c, max_crashes=crashes, now=clock.now(c)))
    LOG.warning("%d jobs of lost workers were put back or failed", reaped)
    return reaped


async def fail_overdue(store: Store) -> int:
    """Fails jobs that have not started in time; returns how many."""
    if not await store.query(lambda c: deadlines.any_overdue(c, clock.now(c))):
        return 0
    failed = await store.write(lambda c: deadlines.fail_overdue(c, clock.now(c)))
    LOG.warning("%d jobs did not start in time and failed", failed)
    return failed


async def ripen(store: Store) -> int:
    """Puts retries that are due among the jobs that wait; returns how many."""
    if not await store.query(lambda c: outbox.any_ripe(c, clock.now(c))):
        return 0
    return await store.write(lambda c: outbox.ripen(c, clock.now(c)))
