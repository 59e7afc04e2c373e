"""The waveform: how far the samples reach, and within it their RMS; stereo as two lanes."""

from typing import Final

import numpy as np

from harken.audio.blocks import Floats
from harken.audio.pictures.canvas import Canvas
from harken.audio.pictures.extremes import Extremes
from harken.audio.pictures.layout import (
    Layout,
    draw_aside,
    draw_nothing,
    draw_times,
    draw_title,
    draw_value,
)
from harken.audio.pictures.sketch import Sketch
from harken.audio.pictures.theme import Ink

HEADROOM: Final = 1.04  # of a lane's half, so that full scale does not touch the next lane
POINTS_A_PIXEL: Final = 4  # of a line between samples that are wider apart than pixels


def draw_waveform(canvas: Canvas, at: Layout, sketch: Sketch) -> None:
    """The picture of `sketch.extremes`."""
    found = sketch.extremes
    lanes = found.low.shape[0] if found else 1
    names = ("left", "right") if lanes == 2 else ("",)
    draw_title(canvas, at, "Waveform", "peaks and RMS, of full scale")
    draw_times(canvas, at, sketch.duration_s)
    line = max(at.unit // 2, 1)
    for lane in range(lanes):
        top = at.top + at.plot_height * lane / lanes
        middle = top + at.plot_height / lanes / 2
        half = at.plot_height / lanes / 2 / HEADROOM
        if at.full:
            for level in (-1.0, -0.5, 0.5, 1.0):
                canvas.fill(at.left, round(middle - level * half), at.plot_width, line, Ink.GRID)
            for level in (-1, 0, 1):
                y = middle - level * (half - at.font * 0.5 * (lanes > 1))
                draw_value(canvas, at, y, f"{level:+d}" if level else "0")
            draw_aside(canvas, at, middle, names[lane])
        canvas.fill(at.left, round(middle), at.plot_width, line, Ink.MUTED)
        if found is not None and found.samples:
            _lane(canvas, at, found, lane, middle, half)
    if found is None or not found.samples:
        draw_nothing(canvas, at, "no sound")


def _lane(
    canvas: Canvas, at: Layout, found: Extremes, lane: int, middle: float, half: float
) -> None:
    low, high, rms = by_pixel(found, lane, at.plot_width)
    if not (low.any() or high.any()):
        return
    # A column reaches to its neighbours, as the line between their samples does.
    high = np.maximum(high, np.concatenate((high[:1], low[:-1])))
    low = np.minimum(low, np.concatenate((low[:1], high[:-1])))
    thin = np.float32(at.unit / 2)
    tops, bottoms = middle - high * half - thin, middle - low * half + thin
    canvas.shape(at.left, tops.astype(np.float32), bottoms.astype(np.float32), Ink.SHAPE)
    core_high, core_low = np.minimum(rms, high), np.maximum(-rms, low)
    inside = core_high > core_low
    tops = np.where(inside, middle - core_high * half, np.inf)
    bottoms = np.where(inside, middle - core_low * half, -np.inf)
    canvas.shape(at.left, tops.astype(np.float32), bottoms.astype(np.float32), Ink.CORE)


def by_pixel(found: Extremes, lane: int, pixels: int) -> tuple[Floats, Floats, Floats]:
    """Lowest and highest sample and RMS of each pixel of a lane, all of shape (pixels,)."""
    low, high, rms = found.low[lane], found.high[lane], found.rms[lane]
    stretches = found.samples / found.samples_each
    if stretches < POINTS_A_PIXEL * pixels:
        points = (np.arange(POINTS_A_PIXEL * pixels) + 0.5) * stretches / (POINTS_A_PIXEL * pixels)
        middles = np.arange(low.shape[0]) + 0.5
        low, high, rms = (
            np.interp(points, middles, one).astype(np.float32) for one in (low, high, rms)
        )
        stretches = float(POINTS_A_PIXEL * pixels)
    edges = np.minimum((np.arange(pixels) * (stretches / pixels)).astype(np.intp), low.shape[0] - 1)
    counts = np.diff(np.append(edges, low.shape[0]))
    return (
        np.minimum.reduceat(low, edges),
        np.maximum.reduceat(high, edges),
        np.sqrt(np.add.reduceat(rms.astype(np.float64) ** 2, edges) / counts).astype(np.float32),
    )
