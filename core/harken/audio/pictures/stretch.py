"""Where a recording begins and ends among the columns that were gathered of it. Pure."""

from harken.audio.pictures.sketch import Line


def time_box(line: Line, duration_s: float) -> tuple[float, float]:
    """The columns, not whole ones, between 0 and the duration; column n reaches from n to n + 1."""
    count = float(line.values.shape[0])
    begin = 0.5 - line.begin_s / line.step_s
    end = begin + duration_s / line.step_s
    begin, end = max(begin, 0.0), min(end, count)
    return (begin, end) if end - begin > 1e-3 else (0.0, count)
