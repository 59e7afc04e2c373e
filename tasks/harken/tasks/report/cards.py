"""The cards of the page: a plot, what it says in words, and its figures as a table."""

from collections.abc import Sequence
from typing import Any
from xml.etree.ElementTree import Element

from harken.tasks.report.element import element
from harken.tasks.report.histogram import bounds, histogram
from harken.tasks.report.key_chart import key_chart
from harken.tasks.report.plots import Plot
from harken.tasks.report.words import NOTHING, count, hours, share

MOST_ROWS = 10  # names that are shown; the others stand in the table that opens

Rows = Sequence[Sequence[str]]


def card(title: str, meaning: str, inside: Sequence[Element]) -> Element:
    """A card with its title."""
    head = [element("h3", title), element("p", meaning, class_="meaning")] if title else []
    return element("article", *head, *inside, class_="card")


def histogram_card(plot: Plot, found: dict[str, Any], whole: dict[str, Any]) -> Element | None:
    """The card of a distribution; None where it has no values."""
    if not found["count"]:
        return None
    half = f"{plot.in_text(found['lower_quartile'])} to {plot.in_text(found['upper_quartile'])}"
    facts = [
        ("median", plot.in_text(found["median"])),
        ("half between", half),
        ("from", plot.in_text(found["minimum"])),
        ("to", plot.in_text(found["maximum"])),
    ]
    if plot.name == "true_peak":
        over = whole["true_peak_over_count"]
        facts.append(("above 0 dBTP", f"{over:,} ({share(over, found['count'])})"))
    if found["none_count"]:
        facts.append(("without", f"{found['none_count']:,}"))
    rows = [
        (
            bounds(plot, one),
            f"{one['count']:,}",
            share(one["count"], found["count"]),
            hours(one["duration_s"]),
        )
        for one in found["bins"]
    ]
    table = _table((plot.axis.capitalize(), "Recordings", "Share", "Sound"), rows)
    return card(
        plot.title,
        plot.meaning,
        [histogram(plot, found), _facts(facts), _opened(plot.title, table)],
    )


def key_card(found: dict[str, Any]) -> Element | None:
    """The card of the keys; None where there are none."""
    if not found["count"]:
        return None
    facts = [("with a key", f"{found['count']:,}"), ("without", f"{found['none_count']:,}")]
    table = _table(("Key", "Recordings", "Share", "Sound"), _rows(found, found["count"]))
    return card(
        "Keys",
        "The most likely key of each recording.",
        [key_chart(found), _facts(facts), _opened("Keys", table)],
    )


def share_card(name: str, title: str, meaning: str, found: dict[str, Any]) -> Element | None:
    """The card of a breakdown; None where it has no names."""
    if not found["count"]:
        return None
    # Of all that were looked at: a problem that one in a hundred has is one of 1 %.
    rows = _rows(found, found["count"] + found["none_count"])
    highest = max(one["count"] for one in found["shares"])
    bars = [100 * one["count"] / highest for one in found["shares"]]
    head = ("Name", "Count", "Share", "Sound")
    if not any(one["duration_s"] for one in found["shares"]):
        head, rows = head[:3], [row[:3] for row in rows]
    inside = [_table(head, rows[:MOST_ROWS], bars[:MOST_ROWS], caption=title)]
    if len(rows) > MOST_ROWS:
        inside.append(_opened(f"{title}: all {len(rows)}", _table(head, rows)))
    if found["other_count"]:
        inside.append(
            element("p", f"{count(found['other_count'], 'other')} under more names.", class_="note")
        )
    made = card(title, meaning, inside)
    made.set("id", name)
    return made


def _rows(found: dict[str, Any], whole: int) -> Rows:
    return [
        (
            one["name"],
            f"{one['count']:,}",
            share(one["count"], whole),
            hours(one["duration_s"]) if one["duration_s"] else NOTHING,
        )
        for one in found["shares"]
    ]


def _facts(facts: Sequence[tuple[str, str]]) -> Element:
    return element(
        "dl",
        *(element("div", element("dt", name), element("dd", value)) for name, value in facts),
        class_="facts",
    )


def _opened(title: str, table: Element) -> Element:
    return element(
        "details",
        element("summary", "Table", element("span", f" of {title}", class_="unseen")),
        element("div", table, class_="scrolled", tabindex=0, role="region", aria_label=title),
    )


def _table(
    head: Sequence[str], rows: Rows, bars: Sequence[float] = (), *, caption: str = ""
) -> Element:
    """A table; with `bars`, in percent, a bar beside each name."""
    heads = [
        element("th", name, scope="col", class_="text" if not place else "")
        for place, name in enumerate(head)
    ]
    if bars:
        heads.insert(1, element("td", class_="drawn"))
    lines: list[Element] = []
    for place, (name, *cells) in enumerate(rows):
        inside = [element("th", name, scope="row", class_="text")]
        if bars:
            inside.append(element("td", _bar(bars[place]), class_="drawn"))
        lines.append(element("tr", *inside, *(element("td", cell) for cell in cells)))
    parts = [element("caption", caption, class_="unseen")] if caption else []
    return element(
        "table", *parts, element("thead", element("tr", *heads)), element("tbody", *lines)
    )


def _bar(percent: float) -> Element:
    bar = element("rect", class_="bar", width=f"{max(percent, 0.5):.1f}", height=8)
    return element("svg", bar, viewBox="0 0 100 8", preserveAspectRatio="none", aria_hidden="true")
