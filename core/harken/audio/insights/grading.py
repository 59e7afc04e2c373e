"""A number put into classes, sure in the middle of one and unsure at its borders."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

AT_A_BORDER: Final = 0.5  # the next class is as likely


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Classes from low to high with the borders between them; a class begins at its lower border.

    `unsure` is how far from a border a number has to be for its class to be certain.
    """

    names: Sequence[str]
    borders: Sequence[float]
    unsure: float

    def grade(self, value: float) -> tuple[str, float]:
        """The class of a number, and how sure it is, 0.5 to 1."""
        place = sum(value >= border for border in self.borders)
        distance = min((abs(value - border) for border in self.borders), default=inf)
        sure = min(distance / self.unsure, 1.0)
        return self.names[place], AT_A_BORDER + (1.0 - AT_A_BORDER) * sure
