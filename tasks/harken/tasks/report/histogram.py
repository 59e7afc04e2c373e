"""Histograms as SVG: bars, the axis below, the median and the half around it."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import Any
from xml.etree.ElementTree import Element

from harken.tasks.report.axis import HEIGHT, LEFT, RIGHT, TOP, WIDTH, canvas, scale_lines
from harken.tasks.report.element import element
from harken.tasks.report.plots import Plot
from harken.tasks.report.words import count, hours

BOTTOM = HEIGHT - 44  # where the bars stand
LEAST_BINS = 8  # fewer bars would be blocks
MOST_LABELS = 9
GAP = 1.5


def shown_bins(bins: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The bins from the first to the last that holds something, with one more at either end, and at least some."""
    full = [place for place, one in enumerate(bins) if one["count"]]
    first, last = max(full[0] - 1, 0), min(full[-1] + 1, len(bins) - 1)
    while last - first + 1 < LEAST_BINS:
        first, last = max(first - 1, 0), min(last + 1, len(bins) - 1)
    return list(bins[first : last + 1])


def bounds(plot: Plot, one: dict[str, Any]) -> str:
    """The bounds of a bin as words."""
    if "low" not in one:
        return f"below {plot.on_axis(one['high'])}"
    if "high" not in one:
        return f"{plot.on_axis(one['low'])} and more"
    return f"{plot.on_axis(one['low'])} to {plot.on_axis(one['high'])}"


def histogram(plot: Plot, found: dict[str, Any]) -> Element:
    """The histogram of a distribution that has values."""
    bins = shown_bins(found["bins"])
    width = (WIDTH - LEFT - RIGHT) / len(bins)
    highest = max(one["count"] for one in bins)
    lines, top_value = scale_lines(highest, BOTTOM)
    drawn: list[Element] = [*lines]
    for place, one in enumerate(bins):
        height = (BOTTOM - TOP) * one["count"] / top_value
        if one["count"]:
            height = max(height, 1.0)  # what is there is seen
        marked = plot.marked_from is not None and one.get("low", -1e9) >= plot.marked_from
        words = (
            f"{bounds(plot, one)}: {count(one['count'], 'recording')}, {hours(one['duration_s'])}"
        )
        drawn.append(
            element(
                "rect",
                element("title", words),
                class_="bar marked" if marked else "bar",
                x=f"{LEFT + place * width + GAP / 2:.1f}",
                y=f"{BOTTOM - height:.1f}",
                width=f"{width - GAP:.1f}",
                height=f"{height:.1f}",
            )
        )
    drawn += _middle(found, bins, width)
    drawn += _labels(plot, bins, width)
    told = (
        f"Histogram of {count(found['count'], 'recording')}. Median {plot.in_text(found['median'])},"
        f" half of them between {plot.in_text(found['lower_quartile'])} and"
        f" {plot.in_text(found['upper_quartile'])}."
    )
    return canvas(plot.name, plot.title, told, drawn)


def _middle(found: dict[str, Any], bins: list[dict[str, Any]], width: float) -> list[Element]:
    """The median as a line, the half around it as a band below the bars."""
    edges = [one["high"] for one in bins if "high" in one]
    edges = [bins[0]["low"], *edges] if "low" in bins[0] else edges
    offset = 0 if "low" in bins[0] else 1

    def place(value: float) -> float:
        return LEFT + width * (_place(edges, value) + offset)

    low, middle, high = (
        place(found[name]) for name in ("lower_quartile", "median", "upper_quartile")
    )
    band = max(high - low, 2.0)
    return [
        element("rect", class_="half", x=f"{low:.1f}", y=BOTTOM + 3, width=f"{band:.1f}", height=4),
        element(
            "line",
            class_="median",
            x1=f"{middle:.1f}",
            x2=f"{middle:.1f}",
            y1=TOP - 4,
            y2=BOTTOM + 9,
        ),
    ]


def _place(edges: list[float], value: float) -> float:
    """Where a value is among edges: 1.5 is in the middle between the second and the third; at most a half outside."""
    if value < edges[0]:
        return -0.5
    if value >= edges[-1]:
        return len(edges) - 1 + (0.5 if value > edges[-1] else 0.0)
    after = bisect_right(edges, value)
    low, high = edges[after - 1], edges[after]
    return after - 1 + (value - low) / (high - low)


def _labels(plot: Plot, bins: list[dict[str, Any]], width: float) -> list[Element]:
    """The bounds under the bars, as many as fit, and the unit."""
    places = [place for place, one in enumerate(bins) if "low" in one]
    step = next(s for s in (1, 2, 4, 5, 10, 20) if len(places) / s <= MOST_LABELS)
    kept = _round_ones(bins, places, step)
    labels = [
        element(
            "text",
            plot.on_axis(bins[place]["low"]),
            class_="tick",
            x=f"{LEFT + place * width:.1f}",
            y=BOTTOM + 22,
        )
        for place in kept
    ]
    middle = f"{LEFT + (WIDTH - LEFT - RIGHT) / 2:.1f}"
    return [*labels, element("text", plot.axis, class_="axis", x=middle, y=HEIGHT - 4)]


def _round_ones(bins: list[dict[str, Any]], places: list[int], step: int) -> list[int]:
    """Each `step`-th place, begun so that with equal bins the labels are multiples of as many bins, 0 among them."""
    lows = [bins[place]["low"] for place in places]
    gaps = {round(high - low, 6) for low, high in pairwise(lows)}
    if len(gaps) != 1:
        return places[::step]
    gap = gaps.pop()
    start = next((i for i, low in enumerate(lows) if round(low / gap) % step == 0), 0)
    return places[start::step]
