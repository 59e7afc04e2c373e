"""Progress from the work to Celery's result backend: the newest only, and never in the way of the work."""

import logging
import math
import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import Self

LOG = logging.getLogger(__name__)

FLUSH_EVERY_S = 0.02  # more is not seen by anybody
CHECK_EVERY_S = 0.25  # how often the database is asked whether the job is to stop
CLOSE_WITHIN_S = 2.0  # with Redis gone the last flush is given up


@dataclass(frozen=True, slots=True)
class Tick:
    """How far an attempt is; `fraction` is of the whole job, 0 to 1."""

    stage: str
    fraction: float
    message: str


class Cancelled(Exception):
    """The work has to stop: cancel was asked for, or the attempt lost its job."""


class OutOfTime(Exception):
    """The work has to stop: its own time limit has passed."""


class ProgressReporter:
    """Takes ticks from the work, publishes the newest from a thread, and tells the work when to stop.

    `publish(tick, seq)` and `cancel_requested()` run in the thread and may be slow or raise; `limit_s` is the time from
    now on that the work may take. The thread begins with the first tick: work that is done before has no use for it.
    """

    def __init__(
        self,
        publish: Callable[[Tick, int], None],
        cancel_requested: Callable[[], bool],
        limit_s: float = math.inf,
    ) -> None:
        self._publish = publish
        self._cancel_requested = cancel_requested
        self._out_of_time_at = time.monotonic() + limit_s
        self._newest: Tick | None = None
        self._seq = 0
        self._fraction = 0.0
        self._cancelled = False
        self._blind = False  # the last look failed
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread is not None:
            self._closing.set()
            self._thread.join(CLOSE_WITHIN_S)

    def report(self, stage: str, fraction: float, message: str) -> None:
        """Takes a tick; a fraction below an earlier one counts as that one. Raises Cancelled and OutOfTime."""
        self.check()
        self._fraction = max(self._fraction, min(fraction, 1.0))
        self._newest = Tick(stage, self._fraction, message)
        if self._thread is None:
            # What the lines of the work are about, those of its thread are about too.
            run = partial(copy_context().run, self._run)
            self._thread = threading.Thread(target=run, name="progress", daemon=True)
            self._thread.start()

    def check(self) -> None:
        """Raises Cancelled and OutOfTime when the work has to stop; for where there is nothing new to report."""
        if self._cancelled:
            raise Cancelled
        if time.monotonic() >= self._out_of_time_at:
            raise OutOfTime

    def _run(self) -> None:
        published: Tick | None = None
        until_check = CHECK_EVERY_S
        while not self._closing.wait(FLUSH_EVERY_S):
            published = self._flush(published)
            until_check -= FLUSH_EVERY_S
            if until_check <= 0:
                until_check = CHECK_EVERY_S
                self._look()
        self._flush(published)

    def _flush(self, published: Tick | None) -> Tick | None:
        newest = self._newest
        if newest is None or newest is published:
            return published
        self._seq += 1
        try:
            self._publish(newest, self._seq)
        except Exception as error:
            LOG.warning("progress could not be published: %s", error)
        return newest

    def _look(self) -> None:
        try:
            self._cancelled = self._cancelled or self._cancel_requested()
        except Exception as error:
            if not self._blind:
                LOG.warning("the database cannot be asked for cancel requests for now: %s", error)
            self._blind = True
        else:
            self._blind = False
