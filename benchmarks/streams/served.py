"""A server process that is measured, with a Redis and a database of its own, and the hands of a worker."""

import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text, update

from harken.client import Client
from harken.embedded.redis_server import find_redis, redis_command, redis_socket_url
from harken.jobs import execution
from harken.jobs.queueing.bell import Bell
from harken.jobs.store.database import Database
from harken.jobs.store.migrate import migrate
from harken.jobs.store.schema import JOBS
from harken.redis.connections import connect

READY_WITHIN_S = 30.0
CLOCK_TICK_S = 1 / os.sysconf("SC_CLK_TCK")

# What claims and ends of all jobs of a batch write, in two statements each instead of ten thousand transactions.
MOVE = """
UPDATE harken_jobs SET state = :after, revision = revision + 1, attempt = 1, worker = 'one@benchmark',
    end_time = CASE WHEN :after = 'SUCCEEDED' THEN :now END
WHERE batch_id = :batch_id AND state = :before
"""
LOG = """
INSERT INTO harken_transitions (job_id, batch_id, revision, attempt, before, after, worker, time)
SELECT job_id, batch_id, revision, attempt, :before, :after, worker, :now FROM harken_jobs
WHERE batch_id = :batch_id
"""


@dataclass(frozen=True, kw_only=True)
class Served:
    """The server's address and process, and what a worker does to its jobs."""

    address: str
    pid: int
    redis: str
    database: Database
    bell: Bell
    media: str

    def submit(self) -> str:
        """The id of a new job."""
        with Client(self.address) as client:
            return client.submit(self.media).job_id

    def submit_batch(self, size: int) -> tuple[str, list[str]]:
        """The id of a new batch, and those of its jobs."""
        with Client(self.address) as client:
            batch_id = client.submit_batch([self.media] * size).batch_id
            return batch_id, [
                job.job_id for job in client.list_jobs(batch=batch_id, page_size=1_000)
            ]

    def claim(self, job_id: str) -> None:
        """A worker takes the job, and is never taken for lost."""
        with self.database.write() as connection:
            execution.claim(
                connection, job_id, worker="one@benchmark", pid=os.getpid(), now=datetime.now(UTC)
            )
            held = update(JOBS).where(JOBS.c.job_id == job_id)
            connection.execute(held.values(lease_expires_at=None))
        self.bell.ring()

    def succeed(self, job_id: str) -> None:
        """A worker ends the job."""
        with self.database.write() as connection:
            execution.succeed(connection, job_id, 1, {"media": {}}, datetime.now(UTC))
        self.bell.ring()

    def move_batch(self, batch_id: str, before: str, after: str) -> None:
        """All jobs of a batch change their state in one transaction."""
        values = {
            "batch_id": batch_id.replace("-", ""),
            "before": before,
            "after": after,
            "now": datetime.now(UTC).replace(tzinfo=None).isoformat(" ", "microseconds"),
        }
        with self.database.write() as connection:
            connection.execute(text(MOVE), values)
            connection.execute(text(LOG), values)
        self.bell.ring()

    def subscriptions(self) -> int:
        """How many jobs' ticks the server is subscribed to, as Redis sees it."""
        with connect(self.redis) as redis:
            return len(redis.pubsub_channels("celery-task-meta-*"))

    def memory_bytes(self) -> int:
        """The server's resident memory."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def cpu_s(self) -> float:
        """The seconds of CPU that the server has taken."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * CLOCK_TICK_S


@contextmanager
def served(folder: Path) -> Generator[Served]:
    """A server that answers."""
    folder.mkdir(parents=True, exist_ok=True)
    media = folder / "one.wav"
    media.touch()
    database_url = f"sqlite:///{folder / 'harken.db'}"
    migrate(Database(database_url, pooled=False))
    address = f"unix:{folder / 'harken.sock'}"
    socket = folder / "redis.sock"
    url = redis_socket_url(socket)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HARKEN_")}
    environment = {
        **kept,
        "HARKEN_DATABASE_URL": database_url,
        "HARKEN_BROKER_URL": url,
        "HARKEN_MEDIA_ROOTS": str(folder),
        "HARKEN_LISTEN": address,
        "HARKEN_LOG_LEVEL": "WARNING",
        "HARKEN_GRACE_PERIOD": "1",
    }
    redis = subprocess.Popen(redis_command(find_redis(), socket), stdout=subprocess.DEVNULL)
    server = subprocess.Popen([sys.executable, "-m", "harken.server"], env=environment)
    database = Database(database_url)
    bell = Bell(url)
    try:
        give_up = time.monotonic() + READY_WITHIN_S
        while not (folder / "harken.sock").exists():
            if server.poll() is not None or time.monotonic() > give_up:
                raise RuntimeError("the server did not start")
            time.sleep(0.01)
        yield Served(
            address=address,
            pid=server.pid,
            redis=url,
            database=database,
            bell=bell,
            media=str(media),
        )
    finally:
        bell.close()
        database.close()
        for process in (server, redis):
            process.terminate()
            process.wait(READY_WITHIN_S)
