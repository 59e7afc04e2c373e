"""Whether a job may run beside those of its owner that do: asked at its claim.

The relay hands out no more jobs of an owner than may run. A message that came back by itself, of a job that its
worker's death has put back among those that wait, asks no relay: it meets the quota here.
"""

from sqlalchemy import Connection, func, select

from harken.jobs.owners.owner_lock import Counted, lock_owner
from harken.jobs.owners.quotas import Quota
from harken.jobs.state import JobState
from harken.jobs.store.schema import HELD_BY_WORKERS, JOBS


def may_run(connection: Connection, job_id: str, quota: Quota) -> bool:
    """Whether the owner of a job that waits may have one more run; of any other job the claim decides."""
    waiting = JOBS.c.job_id == job_id, JOBS.c.state == JobState.QUEUED.value
    owner = connection.execute(select(JOBS.c.owner).where(*waiting)).scalar_one_or_none()
    most = None if owner is None else quota.of(owner)
    if owner is None or most is None:
        return True
    lock_owner(connection, Counted.RUNNING, owner)
    held = select(func.count()).select_from(JOBS).where(HELD_BY_WORKERS, JOBS.c.owner == owner)
    return connection.execute(held).scalar_one() < most
