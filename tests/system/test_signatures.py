"""With signing keys a whole system works as without, and what others put into Redis is neither run nor shown."""

import json
import re
from pathlib import Path

from celery import Celery

from harken.redis.connections import connect
from harken.settings import Settings
from harken.tasks import names
from harken.tasks.queues import MAINTENANCE, broker_settings
from tests.conftest import eventually
from tests.system.conftest import harken_up


def test_jobs_run_with_progress_and_forged_tasks_do_not(
    media: Path, tmp_path: Path, redis: str
) -> None:
    key = "0123456789abcdef" * 2
    environment = {"HARKEN_SIGNING_KEYS": key, "HARKEN_BROKER_URL": redis}
    with harken_up(tmp_path / "data", media, **environment) as system:
        job = system.submit("20-minutes.wav")
        messages = system.follow(job.job_id)
        assert any(event.HasField("progress") for m in messages for event in m.events.events)
        with connect(redis) as client:
            stored = client.get(f"celery-task-meta-{job.job_id}")
        assert re.search(rb"\.[\w-]{43}$", stored), "a signature"
        assert json.loads(stored.rpartition(b".")[0])["status"] in {"PROGRESS", "SUCCESS"}

        forger = Celery(set_as_current=False)
        forger.conf.update(broker_settings(Settings(broker_url=redis)))
        forger.conf.task_serializer = "json"
        forger.send_task(names.CLEAN_UP, queue=MAINTENANCE)
        eventually(lambda: "a message in Redis is refused" in system.log("maintenance"))
        assert "clean-up:" not in system.log("maintenance").partition("is refused")[2]
        assert system.client.submit("piece.flac", features=["media"]).result()
        forger.close()
