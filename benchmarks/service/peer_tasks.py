"""The peer's Celery app, with Celery's defaults: `PEER_BROKER_URL` is both broker and result backend."""

import os
from typing import Final

from celery import Celery

BROKER_URL: Final = os.environ.get("PEER_BROKER_URL", "memory://")

app = Celery("peer", broker=BROKER_URL, backend=BROKER_URL, set_as_current=False)
app.conf.update(
    accept_content=["json"],
    task_default_queue="peer",
    broker_connection_retry_on_startup=True,
    # The children of a measurement are not to be replaced in the middle of it, harken's neither.
    worker_max_tasks_per_child=None,
)


@app.task(name="peer.analyze")
def analyze(job_id: str) -> dict[str, str]:
    """A job that has nothing to do."""
    return {"job_id": job_id, "state": "SUCCEEDED"}
