"""Keys as DJs write them: the circle of fifths as the hours of a clock, A for minor and B for major.

Keys mix well that share most of their notes: the same one, its relative (the same hour), and the fifths beside it (an
hour on or back, the same letter). Source: the Camelot wheel of Mark Davis, Mixed In Key, https://mixedinkey.com/camelot-wheel/
"""

from typing import Final

from harken.audio.insights.result import CompatibleKey, KeyRelation

HOURS: Final = 12
MAJOR: Final = "major"
MINOR: Final = "minor"
# As `tonal.key` spells them.
NOTES: Final = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_LETTERS: Final = {MAJOR: "B", MINOR: "A"}
_FIFTH: Final = 7  # semitones
_C_MAJOR_HOUR: Final = 8
_RELATIVE: Final = 3  # semitones from a minor key up to its relative major


def camelot(key: str, mode: str) -> str:
    """The Camelot notation of a key; raises ValueError for a key or mode that is none."""
    return f"{_hour(key, mode)}{_LETTERS[mode]}"


def compatible_keys(key: str, mode: str) -> tuple[CompatibleKey, ...]:
    """The keys that mix well with this one, itself first; raises ValueError for a key or mode that is none."""
    hour = _hour(key, mode)
    other = MINOR if mode == MAJOR else MAJOR
    return (
        _key(hour, mode, KeyRelation.SAME),
        _key(hour, other, KeyRelation.RELATIVE),
        _key(hour % HOURS + 1, mode, KeyRelation.FIFTH_UP),
        _key((hour - 2) % HOURS + 1, mode, KeyRelation.FIFTH_DOWN),
    )


def _hour(key: str, mode: str) -> int:
    if key not in NOTES or mode not in _LETTERS:
        raise ValueError(
            f"{key!r} {mode!r} is no key; there are {', '.join(NOTES)}, major and minor"
        )
    major = (NOTES.index(key) + (_RELATIVE if mode == MINOR else 0)) % HOURS
    # A fifth is its own inverse modulo 12: seven sevens are one.
    return (major * _FIFTH + _C_MAJOR_HOUR - 1) % HOURS + 1


def _key(hour: int, mode: str, relation: KeyRelation) -> CompatibleKey:
    major = (hour - _C_MAJOR_HOUR) * _FIFTH % HOURS
    note = NOTES[(major - (_RELATIVE if mode == MINOR else 0)) % HOURS]
    return CompatibleKey(camelot=f"{hour}{_LETTERS[mode]}", key=note, mode=mode, relation=relation)
