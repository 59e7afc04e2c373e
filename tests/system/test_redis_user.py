"""harken as a user of Redis' access control lists."""

from pathlib import Path
from urllib.parse import quote

from harken.redis.connections import connect
from tests.system.conftest import harken_up
from tests.system.test_two_servers import free_port

PASSWORD = "s3cret/of:redis"


def test_a_system_runs_as_a_user_of_redis_with_few_rights(
    media: Path, tmp_path: Path, redis: str
) -> None:
    """On a port, since a socket's URL names no user for Celery."""
    with connect(redis) as admin:
        port = free_port()
        admin.config_set("port", port)
        rights = ("~*", "&*", "+@all", "-@dangerous", "+info")
        admin.execute_command("ACL", "SETUSER", "harken", "on", f">{PASSWORD}", *rights)
        admin.execute_command("ACL", "SETUSER", "default", "nopass", "-@all", "+ping")
    url = f"redis://harken:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/0"
    file = tmp_path / "broker"
    file.write_text(url)
    with harken_up(tmp_path / "data", media, HARKEN_BROKER_URL_FILE=str(file)) as system:
        job = system.submit("20-minutes.wav")
        messages = system.follow(job.job_id)
        assert any(event.HasField("progress") for m in messages for event in m.events.events)
        logs = "".join(system.log(part) for part in ("server", "worker", "maintenance", "beat"))
        assert "NOPERM" not in logs
        assert PASSWORD not in logs
        assert quote(PASSWORD, safe="") not in logs
