"""A delivery of a job's message, as the worker's main process follows it."""

import re
from typing import Any, ClassVar

from billiard.exceptions import Terminated, TimeLimitExceeded, WorkerLostError
from celery.worker.request import Request

from harken.tasks.app import SETTINGS
from harken.tasks.children import Child, Children
from harken.tasks.endings import Endings, Sentence

# The child ended while it had the task: by a signal, by an exit of its own, or unseen.
CHILD_DEATHS = (WorkerLostError, Terminated, SystemExit)


def cause_of(died: BaseException) -> str:
    """How a child died, of what the pool says of it."""
    said = str(died) or type(died).__name__
    found = re.search(r"SIG[A-Z0-9]+|exitcode -?\d+", said)
    return found[0] if found else said


class JobRequest(Request):
    """Tells which child is on the job from when until when."""

    # Celery makes the requests: the life cycle puts the worker's own here.
    children: ClassVar[Children] = Children(Endings())

    def on_accepted(self, pid: Any, time_accepted: float) -> None:
        """Called when a child has taken the task."""
        self.children.started(self, Child(job_id=self.id, pid=pid, since=time_accepted))
        super().on_accepted(pid, time_accepted)

    def acknowledge(self) -> None:
        """Called, as `reject`, when the task is over: with late acknowledgement never before."""
        self.children.ended(self)
        super().acknowledge()

    def reject(self, requeue: bool = False) -> None:
        """Called when the task is over, and the message not done with."""
        self.children.ended(self)
        super().reject(requeue=requeue)

    def on_failure(
        self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False
    ) -> None:
        """Called when the task raised, its child died, or Celery's own time limit was hit."""
        died = getattr(exc_info.exception, "exc", exc_info.exception)
        if isinstance(died, TimeLimitExceeded):  # the guard should have been there first
            limit_s = float(SETTINGS.task_time_limit_s)
            self.children.kill(self, Sentence(cause="the time limit", limit_s=limit_s))
        if isinstance(died, (*CHILD_DEATHS, TimeLimitExceeded)):
            self.children.lost(self, cause_of(died))
        super().on_failure(exc_info, send_failed_event=send_failed_event, return_ok=return_ok)
