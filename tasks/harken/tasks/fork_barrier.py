"""Keeps a process from forking at the wrong moment.

A child that is forked while another thread has SQLite open inherits SQLite's notes of the locks this process holds, and
finds the database locked for ever. One that is forked while another thread writes to the log inherits the lock of the
stream, held by nobody, and hangs at its own first line.
"""

import logging
import os
import threading
from typing import Self


class ForkBarrier:
    """Within it no fork happens: whoever wants one waits. It is made once, for the life of the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._handlers: list[logging.Handler] = []
        os.register_at_fork(
            before=self._close, after_in_parent=self._open, after_in_child=self._open_in_child
        )

    def __enter__(self) -> Self:
        self._lock.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def _close(self) -> None:
        # In this order: who is within the barrier may write to the log, and not the other way round.
        self._lock.acquire()
        self._handlers = handlers()
        for handler in self._handlers:
            handler.acquire()

    def _open(self) -> None:
        for handler in self._handlers:
            handler.release()
        self._lock.release()

    def _open_in_child(self) -> None:
        # The logging module has made the handlers' locks anew.
        self._lock.release()


def handlers() -> list[logging.Handler]:
    """The handlers of all loggers, each once."""
    loggers = [logging.getLogger(), *logging.Logger.manager.loggerDict.values()]
    found = [
        handler
        for logger in loggers
        if isinstance(logger, logging.Logger)
        for handler in logger.handlers
    ]
    return list(dict.fromkeys(found))
