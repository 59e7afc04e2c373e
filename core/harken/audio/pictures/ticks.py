"""Where labels stand on an axis: round numbers, as many as there is room for. Pure."""

from math import ceil, floor, log10
from typing import Final

# Steps of time that people count in: seconds, minutes, hours.
TIME_STEPS_S: Final = (
    *(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0),
    *(60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 10800.0, 21600.0, 43200.0, 86400.0),
)


def time_ticks(duration_s: float, most: int) -> tuple[float, ...]:
    """Times from 0 to the duration, at most as many; more than one where there is room for two."""
    step = next(
        (s for s in TIME_STEPS_S if duration_s / s <= most - 1), ceil(duration_s / 86400) * 86400.0
    )
    return tuple(round(n * step, 6) for n in range(floor(duration_s / step + 1e-9) + 1))


def time_label(seconds: float, step_s: float, duration_s: float) -> str:
    """A time as the axis' step needs it: "0.25 s", "12 s", "1:30", "2:00:00"."""
    if duration_s < 60.0:
        digits = max(0, ceil(-log10(step_s) - 1e-9)) if step_s < 1.0 else 0
        return f"{seconds:.{digits}f} s" if seconds else "0"
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    if duration_s < 3600.0:
        return f"{minutes}:{rest:02}"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if step_s < 60.0 else f"{hours}:{minutes:02}"


def value_ticks(low: float, high: float, most: int) -> tuple[float, ...]:
    """Round values from low to high, at most as many where two fit."""
    for step in (1.0, 2.0, 3.0, 5.0, 6.0, 10.0, 12.0, 20.0, 30.0, 50.0, 100.0):
        first, last = ceil(low / step), floor(high / step)
        if last - first + 1 <= max(most, 2):
            return tuple(step * n for n in range(first, last + 1))
    return (low, high)
