"""Rows of text in aligned columns, fit for a terminal and for `awk` alike."""

from collections.abc import Iterable, Iterator, Sequence
from unicodedata import east_asian_width


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The lines of a table; columns are two spaces apart, the last one is not padded."""
    everything = [head, *rows]
    widths = [max(width(row[i]) for row in everything) for i in range(len(head))]
    for row in everything:
        cells = (cell + " " * (size - width(cell)) for cell, size in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def width(text: str) -> int:
    """The columns that a text takes on a terminal."""
    return sum(2 if east_asian_width(c) in "WF" else 1 for c in text)
