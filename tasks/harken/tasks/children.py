"""Which child process is on which job, as the worker's main process knows it."""

import os
import signal
import threading
import time
from collections.abc import Hashable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace

from harken.jobs.leases import Standing
from harken.jobs.state import HELD, JobState
from harken.tasks.endings import Ending, Endings, Sentence


@dataclass(frozen=True, kw_only=True)
class Child:
    """A process at work on a job; times are those of `time.monotonic`.

    `attempt` and what follows from it are known once the database was asked after the claim.
    """

    job_id: str
    pid: int
    since: float
    attempt: int | None = None
    claimed_by: float | None = None
    run_timeout_s: float | None = None
    # It was asked to stop, and is killed then.
    stop_by: float | None = None
    # It was killed for this.
    sentence: Sentence | None = None


class Children:
    """The deliveries that children are on, from a child's acceptance until the pool hears that it is over.

    Only the pool's thread gives a child its next job, and only after `ended`. So what `kill` hits, under the same lock,
    is on this delivery, or has just finished it: never on another one.
    """

    def __init__(self, endings: Endings) -> None:
        self._endings = endings
        # A signal's handler may ask while the same thread is in here.
        self._lock = threading.RLock()
        self._running: dict[Hashable, Child] = {}

    def started(self, delivery: Hashable, child: Child) -> None:
        """A child has taken a delivery."""
        with self._lock:
            self._running[delivery] = child

    def ended(self, delivery: Hashable) -> None:
        """The child is done with the delivery, or was given up."""
        with self._lock:
            self._running.pop(delivery, None)

    def lost(self, delivery: Hashable, cause: str) -> None:
        """The child is dead: of what it was killed for, or else of `cause`. Whoever notices first is heard."""
        with self._lock:
            child = self._running.pop(delivery, None)
        if child is not None:
            self._endings.add(
                Ending(
                    job_id=child.job_id,
                    pid=child.pid,
                    gone_at=time.monotonic(),
                    sentence=child.sentence or Sentence(cause=cause),
                )
            )

    def kill(self, delivery: Hashable, sentence: Sentence) -> bool:
        """Kills the child on the delivery; False when there is none any more, or it was killed already."""
        with self._lock:
            child = self._running.get(delivery)
            if child is None or child.sentence is not None or child.pid == os.getpid():
                return False
            self._running[delivery] = replace(child, sentence=sentence)
            with suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGKILL)
        return True

    def running(self) -> dict[Hashable, Child]:
        """The children at work."""
        with self._lock:
            return dict(self._running)

    def note(
        self, standings: Iterable[Standing], *, worker: str, kill_after_s: float, now: float
    ) -> None:
        """Takes in what the database says of the jobs."""
        found = {standing.job_id: standing for standing in standings}
        with self._lock:
            for delivery, child in self._running.items():
                if standing := found.get(child.job_id):
                    self._running[delivery] = seen(
                        child, standing, worker=worker, kill_after_s=kill_after_s, now=now
                    )


def seen(
    child: Child, standing: Standing, *, worker: str, kill_after_s: float, now: float
) -> Child:
    """The child with what the database says of its job."""
    held = standing.state in HELD and (standing.worker, standing.pid) == (worker, child.pid)
    if held and child.attempt in (None, standing.attempt):
        stop_by = child.stop_by
        if standing.cancelled_for is not None:
            stop_by = now - standing.cancelled_for.total_seconds() + kill_after_s
        timeout = standing.run_timeout
        return replace(
            child,
            attempt=standing.attempt,
            claimed_by=now if child.claimed_by is None else child.claimed_by,
            run_timeout_s=None if timeout is None else timeout.total_seconds(),
            stop_by=stop_by,
        )
    # A duplicate delivery, whose claim fails, is over long before it would be killed.
    given_away = (
        standing.state in HELD
        if child.attempt is None
        else standing.attempt != child.attempt or standing.state is JobState.QUEUED
    )
    if given_away and child.stop_by is None:
        return replace(child, stop_by=now + kill_after_s)
    return child
