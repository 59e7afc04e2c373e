"""Celery's soft time limit, let through only where it does no harm.

Celery's signal raises SoftTimeLimitExceeded wherever a child's main thread is. In the middle of a claim, of the write
that ends an attempt, or of Celery's own work around the task, that would leave a job without its end.
"""

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

from celery import current_task
from celery.exceptions import SoftTimeLimitExceeded

from harken.tasks import names

SIGNAL = signal.SIGUSR1  # billiard's


class SoftLimit:
    """The soft time limit of one attempt: `passed` from the moment it was hit."""

    def __init__(self) -> None:
        self.passed = False
        self._at_work = False

    def install(self) -> None:
        """Takes the signal from now on, for good; tasks of other names get theirs as ever."""
        if threading.current_thread() is threading.main_thread():  # it is in a pool of processes
            signal.signal(SIGNAL, self._on_signal)

    @contextmanager
    def interrupts(self) -> Generator[None]:
        """Within it the limit raises SoftTimeLimitExceeded, at once when it has passed before."""
        try:
            self._at_work = True
            if self.passed:
                raise SoftTimeLimitExceeded
            yield
        finally:
            self._at_work = False

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.passed = True
        other = current_task and current_task.name not in names.JOB_TASKS
        if self._at_work or other:
            raise SoftTimeLimitExceeded
