"""Celery's prefork pool, which looks after its processes more often."""

from collections.abc import Callable
from typing import Any

from celery.concurrency.asynpool import AsynPool
from celery.concurrency.prefork import TaskPool

# A process that dies is noticed before it can be collected, and then not again before the next look: with Celery's own
# 5 s its slot stands empty that long.
MAINTAIN_EVERY_S = 0.2


class QuickPool(AsynPool):
    """A pool that puts a new process in a dead one's place within moments."""

    @property
    def timers(self) -> dict[Callable[[], Any], float]:
        """What the event loop calls, and how often."""
        return {self.maintain_pool: MAINTAIN_EVERY_S}


class JobPool(TaskPool):
    """The pool of `worker_pool`."""

    Pool = QuickPool
