"""The 24 keys as pairs of bars, major and minor."""

from typing import Any
from xml.etree.ElementTree import Element

from harken.jobs.collection.measures import TONICS
from harken.tasks.report.axis import HEIGHT, LEFT, RIGHT, TOP, WIDTH, canvas, scale_lines
from harken.tasks.report.element import element
from harken.tasks.report.words import count, share

BOTTOM = HEIGHT - 44


def key_chart(found: dict[str, Any]) -> Element:
    """The chart of a breakdown by keys that has some."""
    counts = {one["name"]: one["count"] for one in found["shares"]}
    lines, top_value = scale_lines(max(counts.values()), BOTTOM)
    drawn: list[Element] = [*lines]
    group = (WIDTH - LEFT - RIGHT) / len(TONICS)
    width = group * 0.38
    for place, tonic in enumerate(TONICS):
        left = LEFT + place * group + group * 0.1
        for side, mode in enumerate(("major", "minor")):
            number = counts[f"{tonic} {mode}"]
            height = (BOTTOM - TOP) * number / top_value
            words = f"{tonic} {mode}: {count(number, 'recording')}, {share(number, found['count'])}"
            drawn.append(
                element(
                    "rect",
                    element("title", words),
                    class_=f"bar {mode}",
                    x=f"{left + side * (width + 1):.1f}",
                    y=f"{BOTTOM - height:.1f}",
                    width=f"{width:.1f}",
                    height=f"{height:.1f}",
                )
            )
        middle = f"{LEFT + (place + 0.5) * group:.1f}"
        drawn.append(
            element("text", tonic.replace("#", "♯"), class_="tick", x=middle, y=BOTTOM + 18)
        )
    for place, mode in enumerate(("major", "minor")):
        x = LEFT + (WIDTH - LEFT - RIGHT) / 2 - 70 + place * 80
        drawn += [
            element("rect", class_=f"bar {mode}", x=x, y=HEIGHT - 14, width=11, height=11),
            element("text", mode, class_="legend", x=x + 16, y=HEIGHT - 4),
        ]
    most = max(found["shares"], key=lambda one: one["count"])
    told = f"Bars of 24 keys. The most frequent one is {most['name']}, with {share(most['count'], found['count'])}."
    return canvas("keys", "Keys", told, drawn)
