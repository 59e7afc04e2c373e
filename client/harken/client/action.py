"""What was done to jobs, and what became of each of them."""

from dataclasses import dataclass
from datetime import datetime

from harken.client.enums import ActionKind


@dataclass(frozen=True, kw_only=True)
class JobOutcome:
    """What a call about several jobs did to one of them."""

    job_id: str = ""
    new_job_id: str | None = None
    """The job that runs in its place; with ALREADY_RETRIED the newest one made before."""
    reason: str = ""
    """Why nothing was done, for programs, such as "NOT_TERMINAL"; empty when it was done."""
    message: str = ""
    """Why nothing was done and what to do, for people."""


@dataclass(frozen=True, kw_only=True)
class Action:
    """The record of a call about several jobs."""

    action_id: str = ""
    kind: ActionKind = ActionKind.UNKNOWN
    time: datetime | None = None
    actor: str = ""
    """Who asked: "local" as long as there is no access control."""
    peer: str = ""
    """Where the call came from, such as "ipv4:127.0.0.1:43620"."""
    request: str = ""
    """The request as JSON, without the ids of jobs."""
    done_count: int = 0
    refused_count: int = 0
    outcomes: tuple[JobOutcome, ...] = ()
    """What became of each job; only by `get_action`."""
