"""How a picture's room is shared out: the plot, and around it what of title and axes stays readable."""

from dataclasses import dataclass
from typing import Final

from harken.audio.pictures.canvas import Canvas, text_width
from harken.audio.pictures.theme import Ink
from harken.audio.pictures.ticks import time_label, time_ticks

# Of a picture before it is scaled; below these sizes what is left out could not be read.
FULL: Final = (480, 200)
TIMES: Final = (200, 90)
LARGE: Final = (1000, 360)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Pixels of the file; `unit` is how many of them one of the picture's own are."""

    width: int
    height: int
    unit: int
    left: int
    top: int
    plot_width: int
    plot_height: int
    font: float  # 0 without text
    full: bool  # with a title and an axis of values

    @property
    def bottom(self) -> int:
        """The row below the plot."""
        return self.top + self.plot_height

    @property
    def right(self) -> int:
        """The column right of the plot."""
        return self.left + self.plot_width


def layout(width: int, height: int, scale: int) -> Layout:
    """The layout of a picture of so many pixels, each drawn as scale × scale."""
    full = width >= FULL[0] and height >= FULL[1]
    times = width >= TIMES[0] and height >= TIMES[1]
    large = width >= LARGE[0] and height >= LARGE[1]
    font = (15 if large else 12) if full else 10 if times else 0
    left, top, right, bottom = (0, 0, 0, 0)
    if full:
        left, top, right, bottom = round(4.2 * font), round(2.5 * font), round(4.6 * font), 2 * font
    elif times:
        left, top, right, bottom = 4, 4, 4, 17
    return Layout(
        width=width * scale,
        height=height * scale,
        unit=scale * (2 if large else 1) if full else scale,
        left=left * scale,
        top=top * scale,
        plot_width=(width - left - right) * scale,
        plot_height=(height - top - bottom) * scale,
        font=float(font * scale),
        full=full,
    )


def draw_title(canvas: Canvas, at: Layout, title: str, note: str = "") -> None:
    """The title above the plot, and a note behind it."""
    if not at.full:
        return
    y = at.top / 2
    canvas.text(at.left, y, title, at.font * 1.1, Ink.TEXT, align=(0.0, 0.5))
    if note:
        x = at.left + text_width(title, at.font * 1.1) + at.font
        canvas.text(x, y, note, at.font, Ink.MUTED, align=(0.0, 0.5))


def draw_times(canvas: Canvas, at: Layout, duration_s: float) -> None:
    """The axis of time below the plot."""
    if not at.font or duration_s <= 0.0:
        return
    widest = text_width("00:00:00", at.font)
    ticks = time_ticks(duration_s, max(int(at.plot_width / (1.6 * widest)), 2))
    step = ticks[1] - ticks[0] if len(ticks) > 1 else duration_s
    small = max(at.unit * (3 if at.full else 2), 2)
    line = max(at.unit // 2, 1)
    y = at.bottom + (at.height - at.bottom + small) / 2
    for seconds in ticks:
        x = at.left + seconds / duration_s * at.plot_width
        canvas.fill(min(round(x), at.right - line), at.bottom, line, small, Ink.MUTED)
        text = time_label(seconds, step, duration_s)
        half = text_width(text, at.font) / 2
        x = min(max(x, (0 if at.full else at.left) + half), at.width - half - at.unit)
        canvas.text(x, y, text, at.font, Ink.MUTED, align=(0.5, 0.5))


def draw_value(canvas: Canvas, at: Layout, y: float, text: str) -> None:
    """A label left of the plot at a row of it."""
    if at.full:
        x = at.left - at.font * 0.5
        half = at.font * 0.4
        y = min(max(y, at.top + half), at.bottom - half)
        canvas.text(x, y, text, at.font, Ink.MUTED, align=(1.0, 0.5))


def draw_aside(canvas: Canvas, at: Layout, y: float, text: str, ink: Ink = Ink.MUTED) -> None:
    """A label right of the plot at a row of it."""
    if at.full:
        half = at.font * 0.4
        y = min(max(y, at.top + half), at.bottom - half)
        canvas.text(at.right + at.font * 0.5, y, text, at.font, ink, align=(0.0, 0.5))


def draw_nothing(canvas: Canvas, at: Layout, why: str) -> None:
    """Says in the middle of the plot why there is nothing in it."""
    line = max(at.unit // 2, 1)
    canvas.fill(at.left, at.top + at.plot_height // 2, at.plot_width, line, Ink.GRID)
    if at.font:
        x, y = at.left + at.plot_width / 2, at.top + at.plot_height / 2
        half = text_width(why, at.font) / 2 + at.font
        area = canvas.pixels[
            round(y - at.font) : round(y + at.font), round(x - half) : round(x + half)
        ]
        area[:] = canvas.pixels[0, 0]
        canvas.text(x, y, why, at.font, Ink.MUTED, align=(0.5, 0.5))
