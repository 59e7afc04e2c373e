"""A Redis with a replica and a Sentinel that puts the replica in its place when it dies."""

import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from harken.embedded.redis_server import find_redis
from tests.conftest import eventually
from tests.system.test_two_servers import free_port

NAME = "harken-redis"
PASSWORD = "redis/s3cret"
SENTINEL_PASSWORD = "sentinel@s3cret"


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A primary, its replica, and the Sentinel that watches both."""

    sentinel: int
    primary: subprocess.Popen[bytes]
    replica: int

    @property
    def options(self) -> str:
        """What a URL says after the hosts."""
        return f"?master_name={NAME}&sentinel_password={SENTINEL_PASSWORD.replace('@', '%40')}"

    @property
    def url(self) -> str:
        """The URL of two Sentinels, of which the first one is down."""
        login = f":{PASSWORD.replace('/', '%2F')}@"
        return f"sentinel://{login}127.0.0.1:1;127.0.0.1:{self.sentinel}/0{self.options}"

    def fail_over(self) -> None:
        """Kills the primary; returns when the replica has taken its place."""
        self.primary.kill()
        self.primary.wait()
        with Redis(port=self.replica, password=PASSWORD) as replica:
            eventually(lambda: replica.info("replication")["role"] == "master")


@contextmanager
def watched(folder: Path) -> Generator[Watched]:
    """Starts the three, and stops them at the end."""
    binary = str(find_redis())
    primary, replica, sentinel = free_port(), free_port(), free_port()
    common = ["--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    secret = ["--requirepass", PASSWORD, "--masterauth", PASSWORD]
    settings = folder / "sentinel.conf"
    settings.write_text(
        f"""
port {sentinel}
bind 127.0.0.1
dir {folder}
requirepass {SENTINEL_PASSWORD}
sentinel monitor {NAME} 127.0.0.1 {primary} 1
sentinel auth-pass {NAME} {PASSWORD}
sentinel down-after-milliseconds {NAME} 500
sentinel failover-timeout {NAME} 3000
"""
    )
    processes: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        started = subprocess.Popen(
            [binary, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        processes.append(started)
        return started

    try:
        first = start("--port", str(primary), *common, *secret)
        start("--port", str(replica), *common, *secret, "--replicaof", "127.0.0.1", str(primary))
        # A Sentinel that comes earlier finds the replica with its next look alone, 10 s later.
        eventually(lambda: _is_in_step(replica))
        start(str(settings), "--sentinel")
        eventually(lambda: _knows_a_replica(sentinel))
        yield Watched(sentinel=sentinel, primary=first, replica=replica)
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _is_in_step(port: int) -> bool:
    with Redis(port=port, password=PASSWORD) as replica:
        try:
            return replica.info("replication")["master_link_status"] == "up"
        except RedisConnectionError:
            return False


def _knows_a_replica(port: int) -> bool:
    with Redis(port=port, password=SENTINEL_PASSWORD) as sentinel:
        try:
            return bool(sentinel.sentinel_slaves(NAME))
        except (RedisConnectionError, ResponseError):
            return False
