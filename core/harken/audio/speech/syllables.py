"""Syllables are counted by their nuclei: peaks of the level, with a dip before them, where the sound has a pitch.

De Jong, Wempe (2009), "Praat script to detect syllable nuclei and measure speech rate automatically": a peak counts
that is not far below the loudest, that the level fell by 2 dB before, and that is voiced.
"""

from typing import Final

from harken.audio.blocks import Bytes
from harken.audio.kernel import kernel
from harken.audio.speech.activity import STEP_DB

DIP_DB: Final = 2.0
DIP_STEPS: Final = round(DIP_DB / STEP_DB)
BELOW_DB: Final = 25.0  # under the loud frames of the segment: a peak as low as that is no nucleus


@kernel
def nuclei(steps: Bytes, voiced: Bytes, start: int, end: int) -> int:
    """The syllables of the frames `start` to `end`, by the steps of their levels and whether each is voiced."""
    loudest = 0
    for frame in range(start, end):
        loudest = max(loudest, int(steps[frame]))
    least = loudest - BELOW_DB / STEP_DB
    count, peak, place, dip = 0, -1, -1, -1
    for frame in range(start, end):
        level = int(steps[frame])
        if peak < 0:  # falling: the next peak is not there yet
            dip = level if dip < 0 else min(dip, level)
            if level >= dip + DIP_STEPS or frame == start:
                peak, place = level, frame
        elif level > peak:
            peak, place = level, frame
        elif level <= peak - DIP_STEPS or frame == end - 1:
            near = voiced[place]
            near |= voiced[max(place - 1, start)] & voiced[min(place + 1, end - 1)]
            count += near != 0 and peak >= least
            peak, dip = -1, level
    return count
