"""Tasks that keep the house in order; beat sends them, more often than each is due.

Sent twice, as by two beats, they do no harm: a second clean-up finds nothing, and the others are done once a day.
"""

import logging
import uuid
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from harken.jobs.errors import JobsError
from harken.jobs.queueing import turns
from harken.jobs.store.system import system_id
from harken.jobs.upkeep import backup, cleaning, optimization
from harken.media.storage import Storage
from harken.media.storage_errors import StorageError
from harken.tasks import names, storage_cleaning
from harken.tasks.app import app
from harken.tasks.job_task import JobTask, utc_now

LOG = logging.getLogger(__name__)

# A little less than a day: what beat sends each hour is done at the same time of the day.
DAILY = timedelta(hours=23, minutes=30)
CELERYS_REQUEST = "celery.worker.request:Request"  # no job is lost with these tasks
NOT_DUE = {"done": False}


@app.task(name=names.CLEAN_UP, bind=True, base=JobTask, Request=CELERYS_REQUEST)
def clean_up(self: JobTask) -> dict[str, Any]:
    """Deletes what is past its retention, a few jobs at a time."""
    return cleaning.clean_up(self.write, days=self.settings.retention_days, now=utc_now())


@app.task(name=names.OPTIMIZE, bind=True, base=JobTask, Request=CELERYS_REQUEST)
def optimize(self: JobTask) -> dict[str, Any]:
    """Keeps the database quick and small, once a day."""
    return _daily(self, "optimize", lambda: optimization.optimize(self.database))


@app.task(name=names.BACK_UP, bind=True, base=JobTask, Request=CELERYS_REQUEST)
def back_up(self: JobTask) -> dict[str, Any]:
    """Writes a backup, once a day."""
    folder = self.settings.backup_dir
    if not folder:
        LOG.warning("no backup was written: this worker has no HARKEN_BACKUP_DIR")
        return NOT_DUE

    def write() -> dict[str, Any]:
        made = backup.back_up(
            self.database, Path(folder), keep=self.settings.backups_kept, now=utc_now()
        )
        LOG.info("backup: %s, %d bytes, checked", made.path, made.bytes)
        return {"path": str(made.path), "bytes": made.bytes}

    return _daily(self, "back-up", write)


@app.task(name=names.CLEAN_STORAGE, bind=True, base=JobTask, Request=CELERYS_REQUEST)
def clean_storage(self: JobTask) -> dict[str, Any]:
    """Deletes what nobody needs any more in the storage; looks for orphans, for which all is listed, once a day."""
    storage = Storage(self.settings.storage_url, system=self.read(system_id))
    try:
        cleaned = asdict(storage_cleaning.delete_expired(self.write, storage))
    except StorageError as error:
        LOG.error("the storage was not cleaned, which is tried again within the hour: %s", error)  # noqa: TRY400
        return {"done": False, "error": str(error)}
    looked = _daily(
        self, "orphans", lambda: {"orphans": storage_cleaning.delete_orphans(self.read, storage)}
    )
    return {**cleaned, "orphans": looked.get("orphans", 0)}


def _daily(task: JobTask, name: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Does the work when it is due; when it fails, the next message tries again."""
    holder = uuid.uuid4().hex
    now = utc_now()
    taken = task.write(lambda c: turns.take_turn(c, name, every=DAILY, holder=holder, now=now))
    if not taken:
        return NOT_DUE
    try:
        return {"done": True, **work()}
    except Exception as error:
        # An error of the job domain says by itself what is wrong.
        trace = None if isinstance(error, JobsError | StorageError) else error
        again = "%s failed, and is tried again within the hour: %s"
        LOG.error(again, name, error, exc_info=trace)  # noqa: TRY400
        task.write(lambda c: turns.give_back(c, name, holder=holder))
        return {"done": False, "error": str(error)}
