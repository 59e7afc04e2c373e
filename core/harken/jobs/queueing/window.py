"""How far the relay goes ahead of the workers: a broker that holds little can be overtaken, and loses little."""

from math import ceil

AHEAD_S = (
    0.5  # what is used up in this time waits in the broker; the relay is back within a tenth of it
)
WITHOUT_WORKERS = 10  # a worker that starts finds something to do
LARGEST = 2_000  # messages of a queue and priority: at 4,000 jobs a second half a second's work
SMOOTHING_S = 1.0  # the pace is that of about the last second


def window(*, slots: int, free: int, per_second: float) -> int:
    """How many messages of a queue may wait in the broker, of a priority and all above it.

    That is one for each free slot, as many again for when all slots end at once, and what is used up before the relay
    looks again. `slots` are those of the workers that take from the queue, `per_second` the jobs they took of late.
    """
    if slots <= 0:
        return WITHOUT_WORKERS
    return min(free + slots + ceil(per_second * AHEAD_S), LARGEST)


def pace(before: float, *, started: int, elapsed_s: float) -> float:
    """Jobs started a second, smoothed: the pace `before`, and what was started in the time since."""
    weight = min(elapsed_s / SMOOTHING_S, 1.0)
    now = started / elapsed_s if elapsed_s > 0 else before
    return before + (now - before) * weight
