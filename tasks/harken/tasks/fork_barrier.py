"""Keeps a process from forking at the wrong moment.

A child that is forked while another thread has SQLite open inherits SQLite's notes of the locks this process holds, and
finds the database locked for ever.
"""

import os
import threading
from typing import Self


class ForkBarrier:
    """Within it no fork happens: whoever wants one waits. It is made once, for the life of the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        os.register_at_fork(
            before=self._lock.acquire,
            after_in_parent=self._lock.release,
            after_in_child=self._lock.release,
        )

    def __enter__(self) -> Self:
        self._lock.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()
