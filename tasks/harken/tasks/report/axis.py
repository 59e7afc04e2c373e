"""What the plots share: their size, the lines of the scale, and the words for those who do not see them."""

import math
from collections.abc import Sequence
from xml.etree.ElementTree import Element

from harken.tasks.report.element import element
from harken.tasks.report.words import thousands

WIDTH, HEIGHT = 560, 230
LEFT, RIGHT, TOP = 44, 8, 14
LINES = 4  # of the scale, about


def canvas(name: str, title: str, told: str, drawn: Sequence[Element]) -> Element:
    """An SVG with its title and its description."""
    return element(
        "svg",
        element("title", title, id=f"{name}-title"),
        element("desc", told, id=f"{name}-desc"),
        *drawn,
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
    )


def scale_lines(highest: int, bottom: float) -> tuple[list[Element], float]:
    """Lines at round numbers, with their labels, and the value of the highest place."""
    step = round_step(highest / LINES)
    top_value = step * math.ceil(highest / step)
    lines: list[Element] = []
    for number in range(round(top_value / step) + 1):
        y = f"{bottom - (bottom - TOP) * number * step / top_value:.1f}"
        lines += [
            element("line", class_="scale", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y),
            element("text", thousands(number * step), class_="level", x=LEFT - 6, y=y),
        ]
    return lines, top_value


def round_step(least: float) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50 … that is not below."""
    power = 1
    while True:
        for one in (1, 2, 5):
            if one * power >= least:
                return one * power
        power *= 10
