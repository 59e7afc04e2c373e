"""The statistics of a collection as lines that a person can read, with small bars."""

from collections.abc import Callable, Iterator

from harken.client.cli.text import NOTHING, count, duration, number, plain
from harken.client.collection import Breakdown, CollectionStatistics, Distribution, Share

Write = Callable[[float | None], str]

_LABEL_WIDTH = 12
_BARS = "▁▂▃▄▅▆▇█"
_MOST_NAMES = 6
"""Names of a breakdown that are shown; JSON and the report have all."""
_HOUR_S = 3600.0


def statistics_lines(found: CollectionStatistics) -> Iterator[str]:
    """What there is to say; what nothing is known of has no line."""
    if not found.job_count:
        yield "No analyses."
        return
    yield f"{count(found.job_count, 'analysis', 'analyses')}, {_hours(found.duration_s)} of sound"
    rows = [
        ("States", _names(found.states, found.job_count)),
        ("Failures", _names(found.failures)),
        ("Incomplete", _names(found.feature_errors, found.result_count)),
        ("Problems", _problems(found)),
        ("Duration", _spread(found.duration, duration)),
        ("Tempo", _spread(found.tempo, lambda v: number(v, "bpm"))),
        ("Keys", _keys(found.keys)),
        ("Loudness", _spread(found.loudness, lambda v: number(v, "LUFS"))),
        ("Range", _spread(found.loudness_range, lambda v: number(v, "LU"))),
        ("True peak", _peaks(found)),
        ("Brightness", _spread(found.brightness, lambda v: number(v, "Hz", decimals=0))),
        ("Density", _spread(found.onset_rate, lambda v: number(v, "a second"))),
        ("Bit rate", _spread(found.bit_rate, _kilobits)),
        ("Codecs", _names(found.codecs)),
        ("Containers", _names(found.containers)),
        ("Rates", _names(found.sample_rates, unit=" Hz")),
        ("Channels", _names(found.channels)),
    ]
    yield from (f"  {label:<{_LABEL_WIDTH}}{text}" for label, text in rows if text)


def _spread(found: Distribution | None, write: Write) -> str:
    """The histogram, the median and the half around it."""
    if found is None or not found.count:
        return ""
    half = f"{write(found.lower_quartile)} to {write(found.upper_quartile)}"
    without = f", {found.none_count:,} without" if found.none_count else ""
    return f"{_bars(found)}  median {write(found.median)}, half of them {half}{without}"


def _bars(found: Distribution) -> str:
    """A character a bin, from the first to the last that holds something; a space is an empty one."""
    counts = [one.count for one in found.bins]
    full = [place for place, one in enumerate(counts) if one]
    highest = max(counts, default=0)
    drawn = (
        _BARS[(len(_BARS) * one - 1) // highest] if one else " "
        for one in counts[full[0] : full[-1] + 1]
    )
    return f"[{''.join(drawn)}]" if full else ""


def _names(found: Breakdown | None, whole: int = 0, unit: str = "") -> str:
    if found is None or not found.count:
        return ""
    shown = [_share(one, whole or found.count, unit) for one in found.shares[:_MOST_NAMES]]
    more = len(found.shares) - len(shown)
    return ", ".join(shown) + (f", and {more} more" if more else "")


def _share(one: Share, whole: int, unit: str = "") -> str:
    return f"{plain(one.name)}{unit} {one.count:,} ({100 * one.count / whole:.0f} %)"


def _problems(found: CollectionStatistics) -> str:
    problems = found.quality_problems
    if problems is None or not (problems.count or problems.none_count):
        return ""
    checked = problems.count + problems.none_count
    named = _names(problems, checked)
    return named or f"none in {count(checked, 'recording')}"


def _keys(found: Breakdown | None) -> str:
    if found is None or not found.count:
        return ""
    ranked = sorted((one for one in found.shares if one.count), key=lambda one: -one.count)
    shown = ", ".join(_share(one, found.count) for one in ranked[:_MOST_NAMES])
    return shown + (f", {found.none_count:,} without" if found.none_count else "")


def _peaks(found: CollectionStatistics) -> str:
    spread = _spread(found.true_peak, lambda v: number(v, "dBTP"))
    return spread and f"{spread}, {found.true_peak_over_count:,} above 0 dBTP"


def _kilobits(value: float | None) -> str:
    return number(None if value is None else value / 1000, "kbit/s", decimals=0)


def _hours(seconds: float) -> str:
    if not seconds:
        return NOTHING
    return duration(seconds) if seconds < _HOUR_S else f"{seconds / _HOUR_S:,.1f} hours"
