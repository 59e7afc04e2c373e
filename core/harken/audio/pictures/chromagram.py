"""The chromagram: how strong each pitch class is over time, with the beats."""

from typing import Final

from harken.audio.chroma import PITCH_CLASSES
from harken.audio.pictures.canvas import Canvas
from harken.audio.pictures.layout import Layout, draw_nothing, draw_times, draw_title, draw_value
from harken.audio.pictures.sketch import Sketch
from harken.audio.pictures.stretch import time_box
from harken.audio.pictures.theme import Ink

NAMES: Final = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
SHARPNESS: Final = 8  # rows a pitch class: one does not fade into the next
LEAST_APART: Final = 4  # pixels between two beats, below which marks of them hide the picture


def draw_chromagram(canvas: Canvas, at: Layout, sketch: Sketch, beats_s: tuple[float, ...]) -> None:
    """The picture of `sketch.chroma`."""
    marked = beats_fit(at, beats_s)
    note = "strength of each pitch class, 0 to 1"
    draw_title(canvas, at, "Chromagram", f"{note}; beats are marked" if marked else note)
    draw_times(canvas, at, sketch.duration_s)
    if sketch.chroma is None or not sketch.chroma.values.any():
        draw_nothing(canvas, at, "silence")
        return
    area = (at.left, at.top, at.plot_width, at.plot_height)
    bands = sketch.chroma.values.repeat(SHARPNESS, axis=1)
    canvas.map(bands, time_box(sketch.chroma, sketch.duration_s), area)
    for number, name in enumerate(NAMES):
        y = at.bottom - (number + 0.5) * at.plot_height / PITCH_CLASSES
        if at.plot_height / PITCH_CLASSES > at.font * 1.1 or "#" not in name:
            draw_value(canvas, at, y, name)
    if marked:
        _draw_beats(canvas, at, sketch.duration_s, beats_s)


def beats_fit(at: Layout, beats_s: tuple[float, ...]) -> bool:
    """Whether marks of the beats leave something of the picture to be seen."""
    return bool(beats_s) and at.plot_width / len(beats_s) >= LEAST_APART * at.unit


def _draw_beats(canvas: Canvas, at: Layout, duration_s: float, beats_s: tuple[float, ...]) -> None:
    """Ticks above the plot, and dotted lines through it."""
    line, dot = max(at.unit // 2, 1), at.unit * 2
    tick = min(at.unit * 4, at.top)
    for beat in beats_s:
        x = min(at.left + round(beat / duration_s * at.plot_width), at.right - line)
        canvas.fill(x, at.top - tick, line * 2, tick, Ink.MARK)
        for top in range(at.top, at.bottom, dot * 4):
            canvas.line(x, top, line, min(dot, at.bottom - top))
