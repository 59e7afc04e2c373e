"""What kind of sound a recording is, by its length and its pulse."""

from enum import StrEnum
from typing import Final

LONGEST_ONE_SHOT_S: Final = 4.0
LONGEST_LOOP_S: Final = 30.0
FEWEST_BEATS: Final = 4  # of a loop: a bar
# How far a loop's length may be from whole beats: the tempo is right within a percent or so.
BEATS_OFF_SHARE: Final = 0.01
LEAST_BEATS_OFF: Final = 0.1


class SoundClass(StrEnum):
    """A kind of sound; the values are those of the contract's enum."""

    ONE_SHOT = "ONE_SHOT"
    LOOP = "LOOP"
    PHRASE = "PHRASE"
    TRACK = "TRACK"


def sound_class(duration_s: float | None, tempo_bpm: float | None) -> SoundClass | None:
    """The class of a sound; None where its length is not known.

    A loop lasts a whole number of beats, four or more, and at most 30 s; what is longer is a track; of the rest, what
    lasts up to 4 s is a one-shot, and what lasts longer a phrase.
    """
    if duration_s is None:
        return None
    if duration_s > LONGEST_LOOP_S:
        return SoundClass.TRACK
    if tempo_bpm is not None and _whole_beats(duration_s * tempo_bpm / 60):
        return SoundClass.LOOP
    return SoundClass.ONE_SHOT if duration_s <= LONGEST_ONE_SHOT_S else SoundClass.PHRASE


def _whole_beats(beats: float) -> bool:
    off = abs(beats - round(beats))
    return round(beats) >= FEWEST_BEATS and off <= max(LEAST_BEATS_OFF, BEATS_OFF_SHARE * beats)
