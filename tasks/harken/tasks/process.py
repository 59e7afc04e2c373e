"""A child process as the operating system knows it."""

import ctypes
import os
import signal
import time
from typing import Final

COLLECTED: Final = "collected already"
BYTES_A_MB: Final = 1_000_000
GIVE_BACK_EVERY_S: Final = 1.0


def death_of(pid: int) -> str | None:
    """How a child process died, None while it lives; whoever made it can still collect it.

    Where the system cannot tell without collecting it (macOS), the pool has to notice by itself.
    """
    if not hasattr(os, "waitid"):
        return None
    try:
        status = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return COLLECTED
    if status is None:
        return None
    if status.si_code == os.CLD_EXITED:
        return f"exit code {status.si_status}"
    return signal.Signals(status.si_status).name


def memory_mb(pid: int) -> float:
    """The memory that is the process's own or was its parent's, files that it reads left out; 0 where unknown."""
    try:
        with open(f"/proc/{pid}/statm") as statm:
            _, resident, shared, *_ = map(int, statm.read().split())
    except (OSError, ValueError):
        return 0.0
    return (resident - shared) * os.sysconf("SC_PAGE_SIZE") / BYTES_A_MB


class Memory:
    """The memory of this process: what a job left free goes back to the system.

    Once a second at most, for the next job pays for it, with 3 ms: at work on small files a process keeps what it has.
    """

    def __init__(self) -> None:
        # Only the C library of GNU has it, and only there is it needed.
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        self._given_back = 0.0

    def give_back(self) -> None:
        """Gives back what is free."""
        now = time.monotonic()
        if self._trim is not None and now - self._given_back >= GIVE_BACK_EVERY_S:
            self._given_back = now
            self._trim(0)
