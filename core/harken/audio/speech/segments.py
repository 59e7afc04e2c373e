"""Frames that are speech, as segments: short gaps are closed, what is too short for a syllable is left out."""

from typing import Final

from harken.audio.blocks import FRAME_RATE, Bytes, Integers
from harken.audio.kernel import kernel

GAP: Final = round(
    0.25 * FRAME_RATE
)  # frames: closures within words; a pause is longer (Goldman-Eisler 1968)
SHORTEST: Final = round(0.1 * FRAME_RATE)  # frames
# A window reaches as far before and after what it hears: that much of each segment's ends is its own.
SPREAD: Final = 1


@kernel
def find_segments(speaks: Bytes, found: Integers) -> int:
    """Write (start, end) of each segment to the rows of `found`, in frames, and return their number."""
    count, start, last = 0, -1, -1
    total = speaks.shape[0]
    for frame in range(total + 1):
        speaking = frame < total and speaks[frame] != 0
        if speaking:
            if start < 0:
                start = frame
            last = frame
        elif start >= 0 and (frame - last > GAP or frame == total):
            if last + 1 - start >= SHORTEST:
                found[count, 0], found[count, 1] = start, last + 1
                count += 1
            start = -1
    return count
