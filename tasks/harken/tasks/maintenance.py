"""Tasks that keep the house in order; beat sends them."""

import logging
from typing import Any

from harken.jobs import retention
from harken.tasks import names
from harken.tasks.app import app
from harken.tasks.job_task import JobTask, utc_now

LOG = logging.getLogger(__name__)


@app.task(name=names.CLEAN_UP, bind=True, base=JobTask, Request="celery.worker.request:Request")
def clean_up(self: JobTask) -> dict[str, Any]:
    """Deletes jobs past their retention, a few at a time; doing it twice at once does no harm."""
    moment = retention.moment_of(utc_now(), self.settings.retention_days)
    jobs = 0
    while deleted := self.write(lambda c: retention.delete_ended_before(c, moment)):
        jobs += deleted
    batches = self.write(lambda c: retention.delete_empty_batches(c, moment))
    self.write(lambda c: retention.delete_silent_workers(c, utc_now()))
    LOG.info("clean-up: %d jobs and %d batches ended before %s deleted", jobs, batches, moment)
    return {"jobs": jobs, "batches": batches}
