"""`harken serve --processes`: several server processes on one port, as one server to its callers."""

import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest

from harken.jobs.store.database import Database
from harken.jobs.store.migrate import migrate
from harken.server.processes import FIRST_PAUSE_S, LONGEST_PAUSE_S, restart_pause_s
from harken.v1.job_service_pb2 import ListJobsRequest
from harken.v1.job_service_pb2_grpc import JobServiceStub
from tests.conftest import eventually, new_postgresql_database, running_redis
from tests.system.conftest import clean_environment
from tests.system.test_two_servers import free_port

SHARED = re.compile(r"server processes share (\S+)")
SERVING = re.compile(r"serving on (\S+)")


class Processes:
    """A supervisor with its log."""

    def __init__(self, folder: Path, *options: str, **environment: str) -> None:
        self.log = folder / "server.log"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "harken.server", "--listen", "127.0.0.1:0", *options],
                env=clean_environment(HARKEN_GRACE_PERIOD="1", **environment),
                cwd=folder,  # where bytes are stored, unless told otherwise
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def said(self, words: re.Pattern[str]) -> list[str]:
        """What was logged so far that matches."""
        return words.findall(self.log.read_text())

    def pids(self) -> list[int]:
        """The serving processes."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in children.split()]


@contextmanager
def several(postgresql: str, folder: Path, **environment: str) -> Generator[Processes]:
    """Two processes on one port, which serve."""
    with new_postgresql_database(postgresql) as url, running_redis() as redis:
        migrate(Database(url, pooled=False))
        given = {"HARKEN_DATABASE_URL": url, "HARKEN_BROKER_URL": redis, **environment}
        found = Processes(folder, "--processes=2", **given)
        try:
            eventually(lambda: len(found.said(SERVING)) == 2, within_s=60)
            yield found
        finally:
            found.process.kill()
            found.process.wait()


def answers(address: str) -> str:
    """The peer, of a connection of its own, that answered a call."""
    options = [("grpc.use_local_subchannel_pool", 1)]
    with grpc.insecure_channel(address, options) as channel:
        jobs = JobServiceStub(channel)
        _, call = jobs.ListJobs.with_call(ListJobsRequest(), wait_for_ready=True, timeout=20)
        assert call.code() is grpc.StatusCode.OK
    return address


def leads(port: int) -> bool | None:
    """Whether the process whose metrics are at a port leads; None while it does not answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            return "\nharken_leading 1.0\n" in answer.read().decode()
    except OSError:
        return None


def is_alive(pid: int) -> bool:
    """Whether there is such a process, and not only what is left of one."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def listen_on(port: int, pids: list[int]) -> list[int]:
    """Those of the processes that listen on a port."""
    inodes: set[str] = set()
    for table in ("tcp", "tcp6"):
        rows = [row.split() for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
        inodes |= {row[9] for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "0A"}
    sockets = {f"socket:[{inode}]" for inode in inodes}
    return [
        pid
        for pid in pids
        if any(os.readlink(file) in sockets for file in Path(f"/proc/{pid}/fd").iterdir())
    ]


def test_several_processes_share_a_port_restart_their_dead_and_stop_together(
    postgresql: str, tmp_path: Path
) -> None:
    metrics = free_port()
    with several(postgresql, tmp_path, HARKEN_METRICS_LISTEN=str(metrics)) as running:
        (address,) = running.said(SHARED)
        assert running.said(SERVING) == [address, address]
        port = int(address.rpartition(":")[2])
        assert listen_on(port, running.pids()) == running.pids()
        answers(address)

        killed, other = running.pids()
        os.kill(killed, signal.SIGKILL)
        eventually(lambda: len(running.said(SERVING)) == 3, within_s=60)
        assert "ended with -9: started again in 0.5 s" in running.log.read_text()
        assert other in running.pids()
        assert killed not in running.pids()
        answers(address)
        # Each has a port for metrics of its own, also after it was started again; one of them leads.
        eventually(lambda: {leads(metrics), leads(metrics + 1)} == {True, False})

        pids = running.pids()
        running.process.terminate()
        assert running.process.wait(20) == 0
        assert not any(is_alive(pid) for pid in pids)


def test_the_processes_end_with_the_one_that_supervises_them(
    postgresql: str, tmp_path: Path
) -> None:
    with several(postgresql, tmp_path) as running:
        pids = running.pids()
        assert len(pids) == 2
        running.process.kill()
        running.process.wait()
        eventually(lambda: not any(is_alive(pid) for pid in pids), within_s=20)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"HARKEN_DATABASE_URL": "sqlite:///harken.db"}, "need PostgreSQL"),
        (
            {"HARKEN_DATABASE_URL": "postgresql://x/y", "HARKEN_LISTEN": "unix:/tmp/x"},
            "share a port, not a unix socket",
        ),
    ],
)
def test_what_several_processes_cannot_serve_is_refused_with_what_to_do(
    environment: dict[str, str], words: str
) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "harken.server", "--processes=2"],
        env=clean_environment(**environment),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 1
    assert words in run.stderr
    assert "Traceback" not in run.stderr


def test_a_taken_port_is_refused(postgresql: str, tmp_path: Path) -> None:
    with several(postgresql, tmp_path) as running:
        (address,) = running.said(SHARED)
        run = subprocess.run(
            [sys.executable, "-m", "harken.server", "--processes=2", "--listen", address],
            env=clean_environment(HARKEN_DATABASE_URL="postgresql://x/y"),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert run.returncode == 1
    assert f"Cannot listen on {address}" in run.stderr


def test_the_pause_before_a_restart_grows_to_a_limit() -> None:
    pauses = [restart_pause_s(deaths) for deaths in range(1, 40)]
    assert pauses[:3] == [FIRST_PAUSE_S, 2 * FIRST_PAUSE_S, 4 * FIRST_PAUSE_S]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE_S
