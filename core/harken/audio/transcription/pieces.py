"""Into which pieces a recording is cut for a model that hears thirty seconds at a time: pure."""

from collections.abc import Iterator, Sequence
from typing import Final

LONGEST_S: Final = 30.0  # what Whisper hears at once
MARGIN_S: Final = 0.2  # kept before and after speech: its first consonant may be faint
APART_S: Final = (
    2.0  # speech with a longer gap between is heard apart, so that the gap is not heard at all
)

Span = tuple[float, float]


def pieces(speech: Sequence[Span], duration_s: float) -> Iterator[Span]:
    """The pieces that hold all speech: as long as may be, cut in pauses where there are any."""
    start = end = -1.0
    for first, last in _with_margins(speech, duration_s):
        if start >= 0.0 and (last - start > LONGEST_S or first - end > APART_S):
            yield start, end
            start = -1.0
        if start < 0.0:
            start = first
        end = last
        while end - start > LONGEST_S:  # nobody draws breath
            yield start, start + LONGEST_S
            start += LONGEST_S
    if start >= 0.0 and end > start:
        yield start, end


def whole(duration_s: float) -> list[Span]:
    """All of a recording, as if it were speech, in spans of which pieces are made."""
    count = int(duration_s // LONGEST_S)
    spans = [(place * LONGEST_S, (place + 1) * LONGEST_S) for place in range(count)]
    return [*spans, (count * LONGEST_S, duration_s)] if duration_s > count * LONGEST_S else spans


def _with_margins(speech: Sequence[Span], duration_s: float) -> Iterator[Span]:
    """Each span with its margins, up to the middle of the gap where that is shorter than two."""
    for place, (start, end) in enumerate(speech):
        before = speech[place - 1][1] if place else None
        after = speech[place + 1][0] if place + 1 < len(speech) else None
        first = max(start - MARGIN_S, 0.0 if before is None else (before + start) / 2)
        last = min(end + MARGIN_S, duration_s if after is None else (end + after) / 2)
        yield max(first, 0.0), min(last, duration_s)
