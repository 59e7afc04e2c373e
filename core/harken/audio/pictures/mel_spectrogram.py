"""The mel spectrogram: how loud each band of hearing is over time, in decibels below the peak."""

from typing import Final

import numpy as np

from harken.audio.blocks import SAMPLE_RATE
from harken.audio.mel import BANDS, LINEAR_HZ, LOG_FROM_HZ, LOG_STEP, RANGE_DB
from harken.audio.pictures.canvas import Canvas
from harken.audio.pictures.layout import (
    Layout,
    draw_nothing,
    draw_times,
    draw_title,
    draw_value,
)
from harken.audio.pictures.sketch import Sketch
from harken.audio.pictures.stretch import time_box
from harken.audio.pictures.theme import MAP_LEVELS, Ink

LABELS_HZ: Final = (
    (100, "100"),
    (500, "500"),
    (1000, "1 kHz"),
    (2000, "2"),
    (4000, "4"),
    (8000, "8"),
)


def draw_mel_spectrogram(canvas: Canvas, at: Layout, sketch: Sketch) -> None:
    """The picture of `sketch.mel_db`."""
    draw_title(canvas, at, "Mel spectrogram", "decibels below the peak")
    draw_times(canvas, at, sketch.duration_s)
    if sketch.mel_db is None:
        draw_nothing(canvas, at, "silence")
        return
    area = (at.left, at.top, at.plot_width, at.plot_height)
    values = 1.0 + sketch.mel_db.values / np.float32(RANGE_DB)
    canvas.map(values, time_box(sketch.mel_db, sketch.duration_s), area)
    if not at.full:
        return
    small, line = at.unit * 2, max(at.unit // 2, 1)
    for hertz, label in LABELS_HZ:
        y = at.bottom - at.plot_height * _band(hertz) / BANDS
        canvas.fill(at.left - small, round(y), small, line, Ink.MUTED)
        draw_value(canvas, at, y, label)
    _draw_scale(canvas, at)


def _draw_scale(canvas: Canvas, at: Layout) -> None:
    """What the colours mean: a bar right of the plot."""
    width, left = round(at.font * 0.6), at.right + round(at.font * 0.8)
    levels = np.arange(at.plot_height) * MAP_LEVELS // at.plot_height
    area = canvas.pixels[at.top : at.bottom, left : left + width]
    area[:] = levels[::-1, None].astype(np.uint8)
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        text = f"{-RANGE_DB * share:.0f}" if share else "0 dB"
        half = at.font * 0.4
        y = min(max(at.top + share * at.plot_height, at.top + half), at.bottom - half)
        canvas.text(left + width + at.font * 0.4, y, text, at.font, Ink.MUTED, align=(0.0, 0.5))


def _band(hertz: float) -> float:
    """The band, from 0 to 128, in the middle of which a frequency lies."""
    top = _mel(SAMPLE_RATE / 2)
    return _mel(hertz) / top * (BANDS + 1) - 0.5


def _mel(hertz: float) -> float:
    if hertz < LOG_FROM_HZ:
        return hertz / LINEAR_HZ
    return float(LOG_FROM_HZ / LINEAR_HZ + np.log(hertz / LOG_FROM_HZ) / LOG_STEP)
