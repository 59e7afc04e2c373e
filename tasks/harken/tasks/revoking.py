"""Celery's revokes, which workers do not heed: neither Flower's buttons nor `celery control`.

A worker that has revoked a task remembers the id and discards each message of that job from then on, also those by
which harken lets the job go on; and the process that it ends may be on another job by then.
"""

import logging
from collections.abc import Mapping
from typing import Any

from celery.worker.control import Panel

LOG = logging.getLogger(__name__)

INSTEAD = (
    "revoking is not how harken's jobs are stopped: run `harken cancel` with the id of the job"
)
COMMANDS = (
    "revoke",
    "terminate",
    "revoke_by_stamped_headers",
    "terminate_by_stamped_headers",
)


def refuse(_state: Any, **arguments: Any) -> Mapping[str, str]:
    """Answers that nothing was done."""
    task = arguments.get("task_id", "…")
    LOG.warning("task %s is not revoked: %s", task, INSTEAD)
    return {"error": INSTEAD}


for name in COMMANDS:
    if name in Panel.data:
        Panel.data[name] = refuse
