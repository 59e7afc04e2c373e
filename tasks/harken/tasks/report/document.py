"""The page as a whole: one file that asks for nothing from elsewhere and runs no program."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from xml.etree.ElementTree import Element

from harken.jobs.collection.report import Report
from harken.tasks.report.cards import card, histogram_card, key_card, share_card
from harken.tasks.report.element import element, plain, written
from harken.tasks.report.plots import BIT_RATE, PLOTS
from harken.tasks.report.style import STYLE
from harken.tasks.report.words import NOTHING, count, hours, share, signed

# Even what slipped through the escaping could load and run nothing.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

# What is said of the names that are counted: the field, the title, what it is, and what is counted.
_FILES = (
    ("codecs", "Codecs", "How the sound is coded."),
    ("containers", "Containers", "The formats of the files."),
    ("sample_rates", "Sample rates", "Samples a second, in Hz."),
    ("channels", "Channels", "1 is mono, 2 is stereo."),
)
_TROUBLES = (
    ("states", "States", "Where the analyses stand."),
    ("failures", "Failures", "Why jobs failed: the kind, and the reason."),
    (
        "feature_errors",
        "Features that failed alone",
        "The job is done, and lacks this part of its result.",
    ),
    (
        "quality_problems",
        "Quality",
        "Problems that were found in recordings; one may have several.",
    ),
)


def document(found: dict[str, Any], wanted: Report, *, made: datetime) -> bytes:
    """The page of a collection's statistics."""
    title = plain(wanted.title) or title_of(wanted)
    body = element(
        "body",
        _head(found, title, wanted),
        element("main", *_sections(found)),
        element(
            "footer",
            element("p", f"Made by harken, {made:%Y-%m-%d %H:%M} UTC. {_bounds()}"),
        ),
    )
    page = element("html", _meta(title), body, lang="en")
    return f"<!doctype html>\n{written(page)}\n".encode(errors="replace")


def title_of(wanted: Report) -> str:
    """What the filter is, as words."""
    where = wanted.where
    parts = [f"{key} = {value}" for key, value in sorted(where.labels.items())]
    if where.batch_id:
        parts.insert(0, f"Batch {where.batch_id}")
    if where.states:
        parts.append(" or ".join(state.lower() for state in where.states))
    if where.ended_after:
        parts.append(f"since {where.ended_after:%Y-%m-%d %H:%M} UTC")
    if where.ended_before:
        parts.append(f"before {where.ended_before:%Y-%m-%d %H:%M} UTC")
    return ", ".join(parts) or "All analyses"


def _meta(title: str) -> Element:
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{title} – harken"),
        _style(),
    )


def _style() -> Element:
    # As it is: a constant of our own, and what stands in it is not escaped by HTML's rules.
    style = Element("style")
    style.text = STYLE
    return style


def _head(found: dict[str, Any], title: str, wanted: Report) -> Element:
    times = [str(found.get(name, ""))[:10] for name in ("first_end_time", "last_end_time")]
    when = " to ".join(dict.fromkeys(filter(None, times)))
    below = f"Ended {when}" if when else "None has ended"
    if wanted.title:
        below = f"{title_of(wanted)} · {below}"
    return element(
        "header",
        element("p", "harken · collection", class_="brand"),
        element("h1", title),
        element("p", below, class_="below"),
        element("dl", *_tiles(found), class_="tiles"),
    )


def _tiles(found: dict[str, Any]) -> Iterable[Element]:
    ended = {one["name"]: one["count"] for one in found["states"]["shares"]}
    keys = [one for one in found["keys"]["shares"] if one["count"]]
    key = max(keys, key=lambda one: one["count"])["name"] if keys else NOTHING
    tempo, loudness = (found[name].get("median") for name in ("tempo", "loudness"))
    for name, value in (
        ("Analyses", f"{found['job_count']:,}"),
        ("Sound", hours(found["duration_s"])),
        ("Median tempo", NOTHING if tempo is None else f"{signed(tempo, 0)} bpm"),
        ("Median loudness", NOTHING if loudness is None else f"{signed(loudness, 1)} LUFS"),
        ("Most frequent key", key.replace("#", "♯")),
        ("Failed", share(ended.get("FAILED", 0), found["job_count"])),
    ):
        yield element("div", element("dt", name), element("dd", value))


def _sections(found: dict[str, Any]) -> Iterable[Element]:
    music = [histogram_card(plot, found[plot.name], found) for plot in PLOTS]
    music.insert(1, key_card(found["keys"]))
    troubles = [share_card(name, title, meaning, found[name]) for name, title, meaning in _TROUBLES]
    files = [share_card(name, title, meaning, found[name]) for name, title, meaning in _FILES]
    files.append(histogram_card(BIT_RATE, found[BIT_RATE.name], found))
    for title, cards in (("Sound", music), ("Files", files), ("Jobs and quality", troubles)):
        full = [one for one in cards if one is not None]
        empty = [count(len(cards) - len(full), "more has", "more have")]
        inside = full or [card("", "", [element("p", "Nothing to show.")])]
        section = element("section", element("h2", title), element("div", *inside, class_="cards"))
        if full and len(full) < len(cards):
            section.append(element("p", f"{empty[0]} no values in this collection.", class_="note"))
        yield section


def _bounds() -> str:
    return (
        "Counts, bins, extremes and means are exact. Quartiles are within 0.05 of the unit of tempo, loudness and "
        "peak, within 0.025 onsets a second, and within 0.5 % of durations, brightness and bit rates. "
        "A line marks the median, the band below the bars the half of the recordings around it."
    )
