"""What the worker's main process does when a child is lost or killed over a job: it writes that at once."""

import logging
from typing import Any

from billiard.exceptions import Terminated, WorkerLostError
from celery.worker.request import Request

from harken.jobs import execution
from harken.jobs.bell import Bell
from harken.jobs.database import Database
from harken.tasks.app import SETTINGS
from harken.tasks.job_task import utc_now

LOG = logging.getLogger(__name__)

# The child ended while it had the task: by a signal, by an exit of its own, or unseen.
CHILD_DEATHS = (WorkerLostError, Terminated, SystemExit)


class JobRequest(Request):
    """A delivery of a job's message, as the main process follows it."""

    def on_timeout(self, soft: bool, timeout: float) -> None:
        """Called for both limits; after the hard one the pool kills the child, within moments."""
        super().on_timeout(soft, timeout)
        if not soft:
            self._write(
                lambda connection: execution.expire(
                    connection, self.id, worker=self.hostname, limit_s=timeout, now=utc_now()
                )
            )

    def on_failure(
        self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False
    ) -> None:
        """Called when the task raised, or its child died."""
        died = getattr(exc_info.exception, "exc", exc_info.exception)
        super().on_failure(exc_info, send_failed_event=send_failed_event, return_ok=return_ok)
        if isinstance(died, CHILD_DEATHS):
            LOG.error("job %s lost its process: %s", self.id, died)
            self._write(
                lambda connection: execution.lose(
                    connection,
                    self.id,
                    worker=self.hostname,
                    cause=str(died) or type(died).__name__,
                    max_crashes=SETTINGS.max_crashes,
                    now=utc_now(),
                )
            )

    def _write(self, work: Any) -> None:
        # A connection of its own each time: this process forks, and deaths are rare.
        try:
            with Database(SETTINGS.database_url, pooled=False).write() as connection:
                work(connection)
        except Exception:
            # The lease runs out, and the job is put back then.
            LOG.exception("job %s: the loss of its process could not be written", self.id)
        bell = Bell(SETTINGS.result_backend)
        bell.ring()
        bell.close()
