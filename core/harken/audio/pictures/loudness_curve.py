"""Loudness over time: momentary as a surface, short-term as a line, integrated as a level."""

from typing import Final

import numpy as np

from harken.audio.blocks import Floats
from harken.audio.gating import lufs
from harken.audio.pictures.canvas import Canvas
from harken.audio.pictures.layout import (
    Layout,
    draw_aside,
    draw_nothing,
    draw_times,
    draw_title,
    draw_value,
)
from harken.audio.pictures.sketch import Line, Sketch
from harken.audio.pictures.theme import Ink
from harken.audio.pictures.ticks import value_ticks

EDGE_S: Final = 0.5  # more than half a window of momentary loudness, less than of short-term
LEAST_RANGE_LU: Final = 24.0
MOST_RANGE_LU: Final = 60.0
QUIET_PERCENTILE: Final = 5  # what fades out at an end need not be seen to its last
ROUND_LU: Final = 6.0  # the axis ends on multiples


def draw_loudness(
    canvas: Canvas, at: Layout, sketch: Sketch, integrated_lufs: float | None
) -> None:
    """The picture of `sketch.momentary` and `sketch.short_term`."""
    note = "momentary (surface) and short-term (line), LUFS"
    draw_title(canvas, at, "Loudness", note)
    draw_times(canvas, at, sketch.duration_s)
    momentary = _levels(sketch.momentary, sketch.duration_s, at.plot_width)
    if momentary is None or not np.isfinite(momentary).any():
        short = sketch.momentary is None
        draw_nothing(canvas, at, "less than 400 ms, or below 8 kHz" if short else "silence")
        return
    low, high = _range(momentary)

    def row(level: Floats | np.float32) -> Floats:
        share = np.clip((level - low) / (high - low), 0.0, 1.0)
        return (at.bottom - share * at.plot_height).astype(np.float32)

    line = max(at.unit // 2, 1)
    if at.full:
        for level in value_ticks(low, high, max(int(at.plot_height / at.font / 2.5), 2)):
            y = float(row(np.float32(level)))
            canvas.fill(at.left, round(y) - line * (level == low), at.plot_width, line, Ink.GRID)
            draw_value(canvas, at, y, f"{level:.0f}")
    bottoms = np.full(at.plot_width, at.bottom, dtype=np.float32)
    canvas.shape(at.left, _known(row(momentary), momentary), bottoms, Ink.SHAPE)
    short_term = _levels(sketch.short_term, sketch.duration_s, at.plot_width)
    if short_term is not None:
        _draw_line(canvas, at, _known(row(short_term), short_term))
    if integrated_lufs is not None:
        y = float(row(np.float32(integrated_lufs)))
        dash = at.unit * 6
        for left in range(at.left, at.right, dash * 2):
            canvas.fill(left, round(y), min(dash, at.right - left), max(line, at.unit), Ink.MARK)
        draw_aside(canvas, at, y, f"{integrated_lufs:.1f}", Ink.MARK)


def _levels(line: Line | None, duration_s: float, pixels: int) -> Floats | None:
    """Loudness at each pixel; NaN before the first window is full and after the last."""
    if line is None:
        return None
    times = (np.arange(pixels) + 0.5) * duration_s / pixels
    at = (times - line.begin_s) / line.step_s
    energies = line.values[:, 0]
    count = energies.shape[0]
    values = np.interp(at, np.arange(count), energies)
    # Half a window from either end there is none: the surface goes on, the line does not.
    if line.begin_s > EDGE_S:
        values[(at < -0.5) | (at > count - 0.5)] = np.nan
    return lufs(values.astype(np.float64)).astype(np.float32)


def _range(levels: Floats) -> tuple[float, float]:
    loud = levels[np.isfinite(levels)]
    high = float(np.ceil((float(loud.max()) + 1.0) / ROUND_LU) * ROUND_LU)
    low = float(np.percentile(loud, QUIET_PERCENTILE))
    low = min(max(low, high - MOST_RANGE_LU), high - LEAST_RANGE_LU)
    return float(np.floor(low / ROUND_LU) * ROUND_LU), high


def _known(rows: Floats, levels: Floats) -> Floats:
    return np.where(np.isfinite(levels), rows, np.float32(np.nan))


def _draw_line(canvas: Canvas, at: Layout, rows: Floats) -> None:
    """A line through the pixels' rows, as thick as a unit."""
    half = np.float32(max(at.unit, 2) * 0.6)
    middle = (rows[1:] + rows[:-1]) / 2
    before = np.concatenate((rows[:1], middle))
    after = np.concatenate((middle, rows[-1:]))
    tops = np.fmin(np.fmin(before, after), rows) - half
    bottoms = np.fmax(np.fmax(before, after), rows) + half
    tops = np.maximum(tops, at.top)
    canvas.shape(at.left, tops, np.minimum(bottoms, at.bottom), Ink.CORE)
