"""The clean-up: all that is past its retention, in transactions for which nobody waits long."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from harken.jobs.upkeep import retention

LOG = logging.getLogger(__name__)

Write = Callable[[Callable[[Connection], int]], int]


def clean_up(write: Write, *, days: int, now: datetime) -> dict[str, Any]:
    """Deletes jobs that ended `days` ago and what else is old; `write` runs a write transaction."""
    moment = retention.moment_of(now, days)
    jobs = 0
    while deleted := write(lambda c: retention.delete_ended_before(c, moment)):
        jobs += deleted
    batches = write(lambda c: retention.delete_empty_batches(c, moment))
    write(lambda c: retention.delete_silent_workers(c, now))
    write(lambda c: retention.delete_gone_servers(c, now))
    write(lambda c: retention.delete_old_actions(c, now))
    write(lambda c: retention.delete_old_keys(c, now))
    LOG.info("clean-up: %d jobs and %d batches ended before %s deleted", jobs, batches, moment)
    return {"jobs": jobs, "batches": batches}
