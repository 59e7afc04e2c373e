"""The folder in which an embedded harken keeps everything, used by one `harken up` at a time."""

import fcntl
import os
from pathlib import Path
from typing import IO, Self

LARGEST_LOG_BYTES = 10_000_000  # a longer log is set aside at the next start


class FolderInUse(Exception):
    """Another `harken up` has the folder."""

    def __init__(self, path: Path, holder: str) -> None:
        super().__init__(
            f"Another harken (process {holder}) uses {path}."
            " Stop it, or choose another folder with --data-dir."
        )


class DataFolder:
    """The folder, locked for as long as the context is open. Raises FolderInUse."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock: IO[str] | None = None

    def __enter__(self) -> Self:
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.path / "logs").mkdir(exist_ok=True)
        lock = (self.path / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            lock.close()
            raise FolderInUse(self.path, holder) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock
        return self

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            self._lock.close()

    @property
    def database_url(self) -> str:
        """The URL of the database in the folder."""
        return f"sqlite:///{self.path / 'harken.db'}"

    def log_file(self, name: str) -> Path:
        """Where a part logs to; a log that has grown large is set aside."""
        path = self.path / "logs" / f"{name}.log"
        if path.exists() and path.stat().st_size > LARGEST_LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
        return path


def default_data_folder() -> Path:
    """The folder that XDG's rules name for user data."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "harken"
