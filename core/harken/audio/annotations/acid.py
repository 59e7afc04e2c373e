"""What loop editors keep: the chunk "acid" of WAV (Sonic Foundry), of which no specification was ever published.

The layout is that of libsndfile's `wav.c`.
"""

import struct
from math import isfinite
from typing import Final

from harken.audio.result import AcidInfo

_ACID: Final = struct.Struct("<IHHfIHHf")
_ONE_SHOT: Final = 1 << 0
_HAS_ROOT: Final = 1 << 1
_NOTES: Final = range(128)
FASTEST_BPM: Final = 1_000.0


def of_acid(content: bytes) -> AcidInfo | None:
    """What the chunk says; None where it is too short."""
    if len(content) < _ACID.size:
        return None
    flags, root, _, _, beats, denominator, numerator, tempo = _ACID.unpack_from(content)
    one_shot = bool(flags & _ONE_SHOT)
    return AcidInfo(
        one_shot=one_shot,
        root_note=root if flags & _HAS_ROOT and root in _NOTES else None,
        tempo_bpm=None if one_shot else tempo_of(tempo),
        beats=beats if not one_shot and 0 < beats < 2**31 else None,
        meter_numerator=numerator or None,
        meter_denominator=denominator or None,
    )


def tempo_of(bpm: float) -> float | None:
    """A tempo that can be meant."""
    return float(bpm) if isfinite(bpm) and 0.0 < bpm <= FASTEST_BPM else None
