"""Numbers as people read them."""

MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EN DASH}"


def signed(value: float, decimals: int) -> str:
    """A number with a real minus sign."""
    text = f"{value:,.{decimals}f}"
    return f"{MINUS}{text[1:]}" if text.startswith("-") and float(value) else text.removeprefix("-")


def hours(seconds: float) -> str:
    """A length of sound: "42 s", "12 min", "3.4 h", "1,240 h"."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:,.1f} h" if seconds < 360_000 else f"{seconds / 3600:,.0f} h"


def length(seconds: float) -> str:
    """A duration: "0.5 s", "42 s", "3:25", "1:02:07"."""
    if seconds < 60:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    whole, minutes = divmod(minutes, 60)
    return f"{whole}:{minutes:02}:{rest:02}" if whole else f"{minutes}:{rest:02}"


def share(part: int, whole: int) -> str:
    """A part in percent; a part that is there is never 0 %, and one that is not all never 100 %."""
    if not whole:
        return NOTHING
    percent = 100 * part / whole
    if 0 < percent < 0.1:
        return "< 0.1 %"
    if 99.9 < percent < 100:
        return "> 99.9 %"
    return f"{percent:.1f} %" if percent < 10 else f"{percent:.0f} %"


def thousands(value: float) -> str:
    """A number of an axis: 800, 1.25k, 16k."""
    return f"{value:g}" if value < 1000 else f"{value / 1000:g}k"


def count(amount: int, one: str, many: str | None = None) -> str:
    """An amount with its noun."""
    return f"{amount:,} {one if amount == 1 else many or one + 's'}"
