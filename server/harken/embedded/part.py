"""A part of the system: a process in a session of its own, with a log file, started again when it ends unasked."""

import signal
import subprocess
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from harken.embedded.leash import Leash, signal_group

MOST_STARTS = 5  # within STARTS_WITHIN_S; after that something is wrong that a start does not mend
STARTS_WITHIN_S = 60.0
TAIL_LINES = 15


class PartFailed(Exception):
    """A part ended again and again, or could not be started."""

    def __init__(self, name: str, log: Path, tail: str) -> None:
        super().__init__(f"{name} does not stay up. The end of {log}:\n{tail}")


class Part:
    """One process with an environment of its own."""

    def __init__(
        self, name: str, command: Sequence[str], *, log: Path, env: Mapping[str, str], leash: Leash
    ) -> None:
        self.name = name
        self._command = list(command)
        self._log = log
        self._env = dict(env)
        self._leash = leash
        self._process: subprocess.Popen[bytes] | None = None
        self._starts: deque[float] = deque(maxlen=MOST_STARTS)

    def start(self) -> None:
        """Starts the process."""
        self._starts.append(time.monotonic())
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._leash.hold(self._process.pid)

    def watch(self) -> bool:
        """Starts the process again when it has ended; True when it did so. Raises PartFailed."""
        if self._process is None or self._process.poll() is None:
            return False
        signal_group(self._process.pid, signal.SIGKILL)  # children it may have left
        self._leash.release(self._process.pid)
        many = len(self._starts) == MOST_STARTS
        if many and time.monotonic() - self._starts[0] < STARTS_WITHIN_S:
            raise PartFailed(self.name, self._log, self.tail())
        self.start()
        return True

    def fail_if_ended(self) -> None:
        """Raises PartFailed when the process has ended, as one that cannot start does."""
        if self._process is not None and self._process.poll() is not None:
            raise PartFailed(self.name, self._log, self.tail())

    def terminate(self) -> None:
        """Asks the process to end."""
        if self._process is not None:
            self._process.terminate()

    def wait(self, within_s: float) -> None:
        """Waits for the process to end, and kills it and its children when it has not in time."""
        if self._process is None:
            return
        process, self._process = self._process, None
        with suppress(subprocess.TimeoutExpired):
            process.wait(within_s)
        signal_group(process.pid, signal.SIGKILL)
        process.wait()
        self._leash.release(process.pid)

    def tail(self) -> str:
        """The last lines of the log."""
        lines = self._log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-TAIL_LINES:])
