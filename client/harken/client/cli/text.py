"""Values as text for people."""

import unicodedata
from datetime import UTC, datetime, timedelta

NOTHING = "–"
"""Stands for what does not exist, such as the loudness of silence."""

_CONTROL = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def plain(text: str) -> str:
    """The text without control characters: a file's name or tags must not steer a terminal."""
    return "".join("�" if unicodedata.category(c) in _CONTROL else c for c in text)


def number(value: float | None, unit: str = "", *, decimals: int = 1) -> str:
    """A number with its unit, or the sign for nothing."""
    if value is None:
        return NOTHING
    return f"{value:,.{decimals}f} {unit}".rstrip()


def duration(seconds: float | None) -> str:
    """A length of time: "0.42 s", "3:25.4", "11:02:07"."""
    if seconds is None:
        return NOTHING
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02}:{rest // 10:02}"
    return f"{minutes}:{rest / 10:04.1f}"


def age(span: timedelta | None) -> str:
    """A rough length of time: "3 s", "12 min", "5 h", "9 d"."""
    if span is None:
        return NOTHING
    seconds = max(0, round(span.total_seconds()))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def ago(moment: datetime | None, now: datetime | None = None) -> str:
    """How long ago a moment was."""
    return NOTHING if moment is None else age((now or datetime.now(UTC)) - moment)


def local_time(moment: datetime | None) -> str:
    """A moment in the time zone of this machine."""
    return NOTHING if moment is None else moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def count(amount: int, one: str, many: str | None = None) -> str:
    """An amount with its noun: "1 file", "12,000 files"."""
    return f"{amount:,} {one if amount == 1 else many or one + 's'}"


def megabytes(done: int, size: int) -> str:
    """How much of how much, such as "3.1 of 48.0 MB"."""
    return f"{done / 1e6:,.1f} of {size / 1e6:,.1f} MB"
