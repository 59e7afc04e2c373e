"""The main process's guard over its children: it notices their deaths, and kills those that have to end."""

import logging
import os
import threading
import time
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Self

from harken.settings import Settings
from harken.tasks.children import Child, Children
from harken.tasks.endings import Sentence
from harken.tasks.process import COLLECTED, death_of, memory_mb

LOG = logging.getLogger(__name__)

LOOK_EVERY_S = 0.2  # a death is to be written, and a limit to hold, well within a second


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a child may take: seconds of its job, and MB of memory (0 for any)."""

    time_s: float
    memory_mb: float
    kill_after_s: float

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The limits of the settings."""
        return cls(
            time_s=settings.task_time_limit_s,
            memory_mb=settings.max_memory_per_child_mb,
            kill_after_s=settings.kill_after_s,
        )


def sentence_of(child: Child, *, now: float, memory_mb: float, limits: Limits) -> Sentence | None:
    """Why the child has to be killed now; None while it may go on."""
    if 0 < limits.memory_mb < memory_mb:
        cause = f"it took {memory_mb:.0f} MB of memory, {limits.memory_mb:.0f} MB are allowed"
        return Sentence(cause=cause)
    limit_s = _limit_passed(child, now=now, limits=limits)
    if child.stop_by is not None:
        if now >= child.stop_by or limit_s is not None:
            return Sentence(cause="it did not stop when it was asked to")
    elif limit_s is not None:
        return Sentence(cause=f"it took more than {limit_s:g} s", limit_s=limit_s)
    return None


def _limit_passed(child: Child, *, now: float, limits: Limits) -> float | None:
    if child.claimed_by is not None and child.run_timeout_s is not None:
        # The work has stopped by itself before, where it can.
        kill_at = child.claimed_by + child.run_timeout_s + limits.kill_after_s
        if now >= kill_at:
            return child.run_timeout_s
    return limits.time_s if now >= child.since + limits.time_s else None


def about(child: Child) -> dict[str, object]:
    """What a line on a child is about."""
    return {"job_id": child.job_id, "attempt": child.attempt}


class Guard:
    """Looks at the children from a thread that needs neither Redis nor the database."""

    def __init__(self, children: Children, limits: Limits) -> None:
        self._children = children
        self._limits = limits
        self._unexplained: set[Hashable] = set()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="guard", daemon=True)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread."""
        self._stopped.set()
        self._thread.join()

    def kill_all(self, sentence: Sentence) -> None:
        """Kills all children that are on a job."""
        for delivery, child in self._children.running().items():
            if self._children.kill(delivery, sentence):
                LOG.warning(
                    "job %s: process %d is killed: %s",
                    child.job_id,
                    child.pid,
                    sentence.cause,
                    extra=about(child),
                )

    def look(self) -> None:
        """Looks at each child once."""
        now = time.monotonic()
        running = self._children.running()
        self._unexplained &= running.keys()
        for delivery, child in running.items():
            if child.pid == os.getpid():
                continue  # a pool without processes, such as Celery's solo
            if death := death_of(child.pid):
                unexplained = death == COLLECTED and child.sentence is None
                if unexplained and delivery not in self._unexplained:
                    # The pool was first and knows how it died: it has until the next look to say so.
                    self._unexplained.add(delivery)
                    continue
                self._children.lost(delivery, death)
            elif child.sentence is None:
                sentence = sentence_of(
                    child, now=now, memory_mb=memory_mb(child.pid), limits=self._limits
                )
                if sentence is not None and self._children.kill(delivery, sentence):
                    LOG.warning(
                        "job %s: process %d is killed: %s",
                        child.job_id,
                        child.pid,
                        sentence.cause,
                        extra=about(child),
                    )

    def _run(self) -> None:
        while not self._stopped.wait(LOOK_EVERY_S):
            try:
                self.look()
            except Exception:
                LOG.exception("the guard over the children met a fault, and goes on")
