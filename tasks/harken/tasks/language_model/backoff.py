"""When a call that failed is made again."""

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

MOST_ATTEMPTS: Final = 3
FIRST_WAIT_S: Final = 0.5
LONGEST_WAIT_S: Final = 8.0


def wait_s(attempt: int, chance: float, retry_after_s: float | None) -> float:
    """The wait behind attempt number `attempt`, from 1 on: exponential with jitter, and not less than asked for.

    `chance` is a uniform random number in [0, 1).
    """
    longest = min(FIRST_WAIT_S * 2.0 ** (attempt - 1), LONGEST_WAIT_S)
    return max(longest * (0.5 + 0.5 * chance), retry_after_s or 0.0)


def retry_after(header: str | None, now: datetime) -> float | None:
    """The seconds that a Retry-After asks for, as a number or a date; None for none, and for what is neither."""
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            date = parsedate_to_datetime(header)
        except ValueError:
            return None
        aware = date if date.tzinfo else date.replace(tzinfo=UTC)
        seconds = (aware - now).total_seconds()
    return max(seconds, 0.0) if math.isfinite(seconds) else None
