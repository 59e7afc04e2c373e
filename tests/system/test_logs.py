"""The logs of a whole system in JSON: every line of every part is an object, and a job can be followed through them."""

import json
from pathlib import Path

from tests.conftest import eventually
from tests.system.conftest import harken_up

PARTS = ("server", "worker", "maintenance", "beat")
# What Celery says to a terminal when it is asked to stop, log or not.
TO_TERMINALS = {"", "worker: Warm shutdown (MainProcess)"}


def test_every_line_is_an_object_and_those_of_a_job_name_it(media: Path, tmp_path: Path) -> None:
    # Celery warns of root before there is a log.
    given = {"HARKEN_LOG_FORMAT": "json", "PYTHONWARNINGS": "ignore"}
    with harken_up(tmp_path / "data", media, **given) as system:
        batch = system.client.submit_batch(["piece.mp3"]).wait(60)
        (job,) = system.client.list_jobs(batch=batch.batch_id)
        eventually(lambda: "ends: SUCCEEDED" in system.log("worker"))
    lines = {
        part: [
            json.loads(line) for line in system.log(part).splitlines() if line not in TO_TERMINALS
        ]
        for part in PARTS
    }

    of_job = [line for line in lines["worker"] if line.get("job_id") == job.job_id]
    starts, ends = [line for line in of_job if "attempt 1" in line["event"]]
    assert "starts" in starts["event"]
    assert "ends: SUCCEEDED" in ends["event"]
    for line in (starts, ends):
        assert (line["attempt"], line["batch_id"], line["owner"]) == (1, batch.batch_id, "local")
    # Celery's own lines are there too, and in the same form.
    assert any(line["logger"].startswith("celery") for line in lines["worker"])
    assert any(line.get("method", "").endswith("/SubmitBatch") for line in lines["server"])
    assert [line for part in PARTS for line in lines[part] if line["level"] == "error"] == []
