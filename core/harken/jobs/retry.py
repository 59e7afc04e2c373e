"""When a job that met a transient error is tried again."""

from datetime import timedelta

FIRST_DELAY_S = 2.0  # a dropped connection is usually back by then
LONGEST_DELAY_S = 600.0  # beyond ten minutes people think the job is lost
MOST_DOUBLINGS = 16  # far beyond the longest delay, and far below what a float holds


def retry_delay(retries: int, chance: float) -> timedelta:
    """The wait before retry number `retries` + 1: exponential, with full jitter over its upper half.

    `chance` is a uniform random number in [0, 1), so that a thousand jobs that failed together do not return together.
    """
    doublings = min(retries, MOST_DOUBLINGS)
    longest = min(FIRST_DELAY_S * 2.0**doublings, LONGEST_DELAY_S)
    return timedelta(seconds=longest * (0.5 + 0.5 * chance))
