"""Arithmetic of time spans: lists of (begin, end), disjoint and in order."""

from collections.abc import Iterable

Span = tuple[float, float]


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same times, in order and disjoint."""
    whole: list[Span] = []
    for begin, end in sorted(spans):
        if end <= begin:
            continue
        if whole and begin <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(whole[-1][1], end))
        else:
            whole.append((begin, end))
    return whole


def without(spans: Iterable[Span], holes: Iterable[Span]) -> list[Span]:
    """The times of `spans` that are in none of `holes`."""
    left = merged(spans)
    for hole_begin, hole_end in holes:
        cut: list[Span] = []
        for begin, end in left:
            cut += [(begin, min(end, hole_begin)), (max(begin, hole_end), end)]
        left = [(begin, end) for begin, end in cut if begin < end]
    return left


def length(spans: Iterable[Span]) -> float:
    """All of it, in seconds."""
    return sum(end - begin for begin, end in spans)


def longest(spans: Iterable[Span]) -> float:
    """The longest of them, in seconds; 0 for none."""
    return max((end - begin for begin, end in spans), default=0.0)
