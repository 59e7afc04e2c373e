"""The body of an owner's erasure: jobs are stopped; bytes, rows and Celery's results deleted; a receipt is left."""

import logging
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import orjson
from sqlalchemy import Connection

from harken.jobs import clock
from harken.jobs.job import ErrorKind
from harken.jobs.owners import erasure
from harken.jobs.owners.erasure import LostJob
from harken.jobs.owners.holdings import HOLDINGS, Holding
from harken.jobs.store.schema import JOBS
from harken.jobs.store.system import system_id
from harken.tasks.artifact import NewArtifact, new_artifact
from harken.tasks.job_task import utc_now
from harken.tasks.progress import Cancelled
from harken.tasks.work import Ending, Work, WorkFailed

LOG = logging.getLogger(__name__)

STAGE = "erase"
NAME = "receipt.json"
MEDIA_TYPE = "application/json"
LOOK_EVERY_S = 0.5  # whether the owner's jobs have stopped
# A pass finds nothing any more, unless somebody goes on submitting as this owner.
MOST_PASSES = 5


def run(work: Work) -> Ending:
    """Erases all but the job itself, and leaves a receipt. Raises WorkFailed where the owner goes on adding."""
    owner: str = (work.job.spec or {})["owner"]
    erase = _Erase(work, owner)
    try:
        erase.run()
    except LostJob:
        raise Cancelled from None
    # The name is in the job until here, so that another attempt would know whom it is about.
    with new_artifact(work, name=NAME, media_type=MEDIA_TYPE) as artifact:
        artifact.file.write(_receipt(work))
        return work.done(alongside=_end(work, artifact))


class _Erase:
    """One attempt."""

    def __init__(self, work: Work, owner: str) -> None:
        from harken.media.storage import Storage  # what forks must not have used the library before

        self._work = work
        self._owner = owner
        self._storage = Storage(work.settings.storage_url, system=work.read(system_id))
        self._deleted = 0
        self._total = 0

    def run(self) -> None:
        """Erases until there is nothing left. Raises WorkFailed and LostJob."""
        self._storage.claim()  # before the rows go that name what is another's to delete
        for _ in range(MOST_PASSES):
            self._stop_jobs()
            left = self._count()
            if left == 0:
                self._erase_orphans()
                return
            self._total = self._deleted + left
            self._erase_all()
        message = (
            "Somebody goes on submitting as this owner. Revoke the owner's keys, then retry this job:"
            " it goes on where it was."
        )
        raise WorkFailed(kind=ErrorKind.TRANSIENT, reason="OWNER_ACTIVE", message=message)

    def _stop_jobs(self) -> None:
        job_id = self._work.job.job_id

        def cancel(connection: Connection) -> int:
            now = clock.now(connection)
            return erasure.cancel_open(connection, self._owner, but=job_id, now=now)

        while left := self._work.write(cancel):
            self._report(f"{left:,} jobs have to stop first")
            time.sleep(LOOK_EVERY_S)

    def _count(self) -> int:
        job_id = self._work.job.job_id
        return self._work.read(lambda c: erasure.count(c, self._owner, but=job_id))

    def _erase_all(self) -> None:
        job = self._work.job
        for holding in HOLDINGS:
            if holding.of_jobs:
                continue  # they go with their jobs
            self._report(holding.name)
            if holding.has_bytes:
                while self._erase_bytes(holding):
                    self._report(holding.name)
                continue
            step = self._step(holding)
            while deleted := self._work.write(step):
                self._deleted += deleted
                self._report(holding.name)
        LOG.info("job %s: %d rows erased", job.job_id, self._deleted)

    def _step(self, holding: Holding) -> Callable[[Connection], int]:
        job = self._work.job
        if holding.table is JOBS:
            return lambda c: erasure.erase_jobs(c, job, self._owner, self._forget_results)
        return lambda c: erasure.erase_rows(c, job, holding, self._owner)

    def _erase_bytes(self, holding: Holding) -> bool:
        """Deletes some bytes, then the rows that know of them: in this order nothing is forgotten by a crash."""
        keys = self._work.read(lambda c: erasure.some_keys(c, holding, self._owner))
        if not keys:
            return False
        self._storage.delete(keys)
        job = self._work.job
        self._deleted += self._work.write(
            lambda c: erasure.erase_with_keys(c, job, holding, self._owner, keys)
        )
        return True

    def _erase_orphans(self) -> None:
        """Deletes bytes of the owner that no row knows of any more, or never did."""
        for some in self._storage.listed(owner=self._owner):
            self._report("orphaned bytes")
            self._storage.delete([kept.key for kept in some])

    def _forget_results(self, job_ids: list[str]) -> None:
        """Deletes what Celery has stored of the jobs."""
        backend: Any = self._work.task.backend
        backend.client.delete(*(backend.get_key_for_task(job_id) for job_id in job_ids))

    def _report(self, message: str) -> None:
        share = self._deleted / self._total if self._total else 0.0
        self._work.report(STAGE, min(share, 1.0), message.replace("_", " "))


def _receipt(work: Work) -> bytes:
    """What was done, without a word of whom it was about."""
    job = work.job
    deleted = work.read(lambda c: erasure.noted(c, job))
    receipt = {
        "job_id": job.job_id,
        "requested_by": job.owner,
        "request_time": job.create_time,
        "end_time": utc_now(),
        "harken": version("harken"),
        "deleted_rows": deleted,
        "backups": "Backups that were made before keep what was erased until they are deleted themselves.",
    }
    return orjson.dumps(receipt, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z)


def _end(work: Work, artifact: NewArtifact) -> Callable[[Connection], object]:
    keep = artifact.finish()

    def write(connection: Connection) -> None:
        if keep(connection) is not None:
            erasure.forget_owner(connection, work.job)

    return write
