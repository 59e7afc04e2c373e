"""What is done to jobs, as it is asked for and as it is recorded."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class ActionKind(StrEnum):
    """What was asked for."""

    RETRY_JOBS = "RETRY_JOBS"
    DISMISS_JOBS = "DISMISS_JOBS"
    CANCEL_BATCH = "CANCEL_BATCH"
    CANCEL_JOB = "CANCEL_JOB"


class Refusal(StrEnum):
    """Why nothing was done with a job."""

    JOB_NOT_FOUND = "JOB_NOT_FOUND"
    NOT_TERMINAL = "NOT_TERMINAL"
    NOT_FAILED = "NOT_FAILED"
    ALREADY_RETRIED = "ALREADY_RETRIED"
    ALREADY_DISMISSED = "ALREADY_DISMISSED"
    SCOPE_MISSING = "SCOPE_MISSING"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one job: `new_job_id` runs in its place, `refusal` says why nothing was done."""

    job_id: str
    new_job_id: str | None = None
    refusal: Refusal | None = None


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Who asks for what: the owner, where the call came from, and its request without the jobs' ids."""

    kind: ActionKind
    owner: str
    peer: str
    request: Mapping[str, Any]
    request_id: str | None = None
    request_hash: str = ""


@dataclass(frozen=True, kw_only=True)
class Action:
    """A record of what was done. `page_end` is the last job looked at, when others followed it."""

    action_id: str
    owner: str
    peer: str
    kind: ActionKind
    time: datetime
    request: Mapping[str, Any]
    done: int
    refused: int
    outcomes: tuple[Outcome, ...] = ()
    page_end: str | None = None
