"""A small process that ends the parts of a `harken up` that was killed before it could do so.

It reads from a pipe that only `harken up` writes to: process groups to end, and folders to remove, one a line. When the
pipe closes, it does so.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from typing import Self

TERMINATED_WITHIN_S = 3.0


class Leash:
    """The pipe to that process, open for as long as the parts may live."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-E", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()

    def hold(self, group: int) -> None:
        """Ends this process group when `harken up` ends."""
        self._tell(f"group {group}")

    def release(self, group: int) -> None:
        """Forgets a process group that has ended, since its number may be given again."""
        self._tell(f"ended {group}")

    def remove(self, folder: str) -> None:
        """Removes this folder when `harken up` ends."""
        self._tell(f"folder {folder}")

    def _tell(self, line: str) -> None:
        if self._process.stdin is not None:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()


def signal_group(group: int, number: int) -> bool:
    """Signals a process group; False when there is none any more."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _main() -> None:
    groups: set[int] = set()
    folders: list[str] = []
    for line in sys.stdin:
        word, _, rest = line.strip().partition(" ")
        if word == "group":
            groups.add(int(rest))
        elif word == "ended":
            groups.discard(int(rest))
        elif word == "folder":
            folders.append(rest)
    groups = {group for group in groups if signal_group(group, signal.SIGTERM)}
    deadline = time.monotonic() + TERMINATED_WITHIN_S
    while groups and time.monotonic() < deadline:
        groups = {group for group in groups if signal_group(group, 0)}
        time.sleep(0.05)
    for group in groups:
        signal_group(group, signal.SIGKILL)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    _main()
