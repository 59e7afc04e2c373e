"""One stream's time stamps as seconds that can be relied on: none missing, none leaping back or far beyond the file."""

from math import inf
from typing import Final

# Frames may come out of order by less; what leaps back further has started its clock anew.
BACK_S: Final = 1.0


class Timeline:
    """Turns stamps into seconds after `origin_s`.

    Those beyond `longest_s` are not believed, nor those that leap ahead by more than `leap_s`.
    """

    def __init__(
        self, time_base: float, origin_s: float, longest_s: float, leap_s: float = inf
    ) -> None:
        self._time_base = time_base
        # A stamp and its time, from which others are counted: whole numbers, as seconds would round the largest away.
        self._stamp, self._time_s = 0, -origin_s
        self._longest_s = longest_s
        self._leap_s = leap_s
        self._next = 0.0

    def at(self, stamp: int | None, lasts_s: float) -> float:
        """When a frame with this stamp is due, that lasts so long; behind the last one where it cannot be believed."""
        time_s = self._next
        if stamp is not None:
            time_s = (stamp - self._stamp) * self._time_base + self._time_s
            latest_s = min(self._longest_s, self._next + self._leap_s)
            if not self._next - BACK_S <= time_s <= latest_s:
                self._stamp, self._time_s = stamp, self._next
                time_s = self._next
        self._next = max(self._next, time_s + lasts_s)
        return time_s
