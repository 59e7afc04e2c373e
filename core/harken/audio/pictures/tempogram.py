"""The tempogram: at which tempi onsets repeat over time, with the tempo that was chosen."""

from math import log
from typing import Final

from harken.audio.pictures.canvas import Canvas
from harken.audio.pictures.layout import (
    Layout,
    draw_aside,
    draw_nothing,
    draw_times,
    draw_title,
    draw_value,
)
from harken.audio.pictures.sketch import Sketch
from harken.audio.pictures.tempo_map import LEAST_BPM, MOST_BPM
from harken.audio.pictures.theme import Ink

LEAST_CLARITY: Final = 0.2
LABELS_BPM: Final = (30, 40, 60, 80, 120, 160, 240, 300)


def draw_tempogram(canvas: Canvas, at: Layout, sketch: Sketch, tempo_bpm: float | None) -> None:
    """The picture of `sketch.tempi`."""
    draw_title(canvas, at, "Tempogram", "how clearly onsets repeat, at beats per minute")
    draw_times(canvas, at, sketch.duration_s)
    if sketch.tempi is None:
        draw_nothing(
            canvas, at, "no onsets" if sketch.duration_s >= 2.0 else "too short for a tempo"
        )
        return
    # Of the clearest: how clear that is, the confidence of the tempo says.
    values = sketch.tempi.values / max(float(sketch.tempi.values.max()), LEAST_CLARITY)
    area = (at.left, at.top, at.plot_width, at.plot_height)
    canvas.map(values, (0.0, float(values.shape[0])), area)
    small, line = at.unit * 2, max(at.unit // 2, 1)
    if at.full:
        for bpm in LABELS_BPM:
            canvas.fill(at.left - small, round(_row(at, bpm)), small, line, Ink.MUTED)
            draw_value(canvas, at, _row(at, bpm), str(bpm))
    if tempo_bpm is not None and LEAST_BPM <= tempo_bpm <= MOST_BPM:
        y = _row(at, tempo_bpm)
        dash = at.unit * 6
        for left in range(at.left, at.right, dash * 2):
            canvas.line(left, round(y), min(dash, at.right - left), max(at.unit // 2, 1))
        canvas.fill(at.right, round(y), small * 2, line * 2, Ink.MARK)
        draw_aside(canvas, at, y, f"{tempo_bpm:.1f}", Ink.MARK)


def _row(at: Layout, bpm: float) -> float:
    return at.bottom - at.plot_height * log(bpm / LEAST_BPM) / log(MOST_BPM / LEAST_BPM)
