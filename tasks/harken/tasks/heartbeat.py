"""The main process's dealings with the database: heartbeat, leases, what is asked of its jobs, and how they ended."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy.exc import DBAPIError

from harken.jobs import clock, leases
from harken.jobs.queueing import workers
from harken.jobs.queueing.bell import WORK, Bell
from harken.jobs.queueing.workers import BEAT_INTERVAL, Heartbeat
from harken.jobs.store.database import Database
from harken.settings import Settings
from harken.tasks import endings
from harken.tasks.children import Child, Children
from harken.tasks.endings import Endings
from harken.tasks.fork_barrier import ForkBarrier

LOG = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0  # a cancel has to be seen well before its process is killed
BEATS_A_LEASE = 3  # two may be lost, or late
LAST_TRIES = 3  # to write what has ended when the worker stops


class HeartbeatThread:
    """Beats every `BEAT_INTERVAL`, asks for cancels every `LOOK_EVERY_S`, writes endings at once.

    Where leases are short it beats more often, and with each beat prolongs those of its jobs.
    """

    def __init__(
        self,
        database: Database,
        barrier: ForkBarrier,
        settings: Settings,
        *,
        describe: Callable[[], Heartbeat],
        children: Children,
        ended: Endings,
        on_lost: Callable[[], None] | None = None,
    ) -> None:
        self._database = database
        self._barrier = barrier
        self._settings = settings
        self._describe = describe
        self._children = children
        self._endings = ended
        self._on_lost = on_lost
        self._blind = False  # the last dealing failed
        self._stopped = False
        self._lease = timedelta(seconds=settings.lease_s)
        self._beat_every = min(BEAT_INTERVAL, self._lease / BEATS_A_LEASE)
        self._beat_due = 0.0
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Beats for the first time before it returns, where the database answers."""
        self.beat()
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread, writes what has ended, and takes the worker off the list."""
        self._stopped = True
        self._endings.news.set()
        self._thread.join()
        for _ in range(LAST_TRIES):
            self.write_endings()
        try:
            with self._barrier, self._database.write() as connection:
                workers.leave(connection, self._describe().name)
        except Exception as error:
            LOG.warning("the worker could not take itself off the list: %s", error)

    def beat(self) -> None:
        """Writes a heartbeat and prolongs the leases."""
        self._beat_due = time.monotonic() + self._beat_every.total_seconds()
        heartbeat = self._describe()
        held = [
            (child.job_id, child.attempt) for child in self._working() if child.attempt is not None
        ]
        try:
            with self._barrier, self._database.write() as connection:
                now = clock.now(connection)
                workers.beat(connection, heartbeat, now)
                standings = leases.renew(connection, held, now, self._lease)
        except Exception as error:
            LOG.warning("the heartbeat could not be written: %s", error)
        else:
            self._note(standings)

    def look(self) -> None:
        """Asks where the children's jobs stand."""
        job_ids = {child.job_id for child in self._working()}
        if not job_ids:
            return
        try:
            with self._barrier, self._database.read() as connection:
                standings = leases.look(connection, job_ids, clock.now(connection))
        except Exception as error:
            if not self._blind:
                LOG.warning("the jobs at work cannot be looked after for now: %s", error)
            self._blind = True
        else:
            self._blind = False
            self._note(standings)

    def write_endings(self) -> None:
        """Writes how attempts ended whose process is dead, as far as the database answers."""
        written = False
        while (ending := self._endings.first()) is not None:
            stopping, now = self._describe().stopping, time.monotonic()
            if endings.undecided(ending, stopping=stopping, monotonic=now):
                break
            try:
                with self._barrier, self._database.write() as connection:
                    state = endings.write(
                        connection,
                        ending,
                        worker=self._describe().name,
                        stopping=stopping,
                        max_crashes=self._settings.max_crashes,
                        monotonic=now,
                    )
            except DBAPIError as error:
                # If it stays away, the lease runs out, and the job is put back then.
                if not self._blind:
                    LOG.warning(
                        "job %s: its end has to wait to be written: %s",
                        ending.job_id,
                        error,
                        extra={"job_id": ending.job_id},
                    )
                self._blind = True
                break
            except Exception:
                LOG.exception(
                    "job %s: the end of its process could not be written",
                    ending.job_id,
                    extra={"job_id": ending.job_id},
                )
                state = None
            self._endings.written()
            written = True
            if self._on_lost is not None:
                self._on_lost()
            cause = ending.sentence.cause
            LOG.error(
                "job %s lost its process: %s: %s",
                ending.job_id,
                cause,
                state or "not its own",
                extra={"job_id": ending.job_id},
            )
        if written:
            # A connection of its own each time: this process forks, and deaths are rare.
            bell = Bell(self._settings.result_backend)
            bell.ring(WORK)
            bell.close()

    def _run(self) -> None:
        while not self._stopped:
            self._endings.news.wait(LOOK_EVERY_S)
            self._endings.news.clear()
            self.write_endings()
            if time.monotonic() >= self._beat_due:
                self.beat()
            self.look()

    def _working(self) -> list[Child]:
        return list(self._children.running().values())

    def _note(self, standings: tuple[leases.Standing, ...]) -> None:
        self._children.note(
            standings,
            worker=self._describe().name,
            kill_after_s=self._settings.kill_after_s,
            now=time.monotonic(),
        )
