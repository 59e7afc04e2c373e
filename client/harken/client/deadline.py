"""The end of the time given to something."""

import time


class Deadline:
    """The end of the time given to a call or a watch, by the monotonic clock; None is no end."""

    def __init__(self, seconds: float | None) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds

    def left(self) -> float | None:
        """Seconds that are left, never below 0; None without an end: a timeout for gRPC."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    def within(self, pause: float) -> float:
        """The pause, cut to what is left."""
        left = self.left()
        return pause if left is None else min(pause, left)
