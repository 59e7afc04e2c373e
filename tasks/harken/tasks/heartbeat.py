"""The worker's sign of life: its heartbeat and its jobs' leases, written by a thread of the main process."""

import logging
import threading
from collections.abc import Callable

from harken.jobs import leases, workers
from harken.jobs.database import Database
from harken.jobs.workers import BEAT_INTERVAL, Heartbeat
from harken.tasks.fork_barrier import ForkBarrier
from harken.tasks.job_task import utc_now

LOG = logging.getLogger(__name__)


class HeartbeatThread:
    """Beats every `BEAT_INTERVAL` until it is stopped.

    `describe` gives the heartbeat, `active` the ids of the jobs that the children are on.
    """

    def __init__(
        self,
        database: Database,
        barrier: ForkBarrier,
        describe: Callable[[], Heartbeat],
        active: Callable[[], list[str]],
    ) -> None:
        self._database = database
        self._barrier = barrier
        self._describe = describe
        self._active = active
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Beats for the first time before it returns, where the database answers."""
        self.beat()
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread and takes the worker off the list."""
        self._stopped.set()
        self._thread.join()
        try:
            with self._barrier, self._database.write() as connection:
                workers.leave(connection, self._describe().name)
        except Exception as error:
            LOG.warning("the worker could not take itself off the list: %s", error)

    def beat(self) -> None:
        """Writes a heartbeat and prolongs the leases."""
        heartbeat = self._describe()
        now = utc_now()
        try:
            with self._barrier, self._database.write() as connection:
                workers.beat(connection, heartbeat, now)
                leases.renew(connection, self._active(), worker=heartbeat.name, now=now)
        except Exception as error:
            LOG.warning("the heartbeat could not be written: %s", error)

    def _run(self) -> None:
        while not self._stopped.wait(BEAT_INTERVAL.total_seconds()):
            self.beat()
