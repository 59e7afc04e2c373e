"""What broadcasters note: the chunk "bext" of WAV (EBU Tech 3285, version 2)."""

import re
import struct
from typing import Final

from harken.audio.annotations.text import text_of
from harken.audio.result import BroadcastInfo

_TEXTS: Final = struct.Struct("<256s32s32s10s8s")
_TIME_AND_VERSION: Final = struct.Struct("<QH")
_LOUDNESS: Final = struct.Struct("<5h")
_LOUDNESS_AT: Final = 412  # behind 64 bytes of UMID
_HAS_LOUDNESS: Final = 2  # the version from which on it is there
_UNSET: Final = 0x7FFF
_DATE: Final = re.compile(r"(\d{4})[-_:. ](\d\d)[-_:. ](\d\d)")
_TIME: Final = re.compile(r"(\d\d)[-_:. ](\d\d)[-_:. ](\d\d)")


def of_bext(content: bytes, rate: int) -> BroadcastInfo | None:
    """What the chunk says; None where it is too short."""
    if len(content) < _TEXTS.size + _TIME_AND_VERSION.size:
        return None
    description, originator, reference, date, time = map(text_of, _TEXTS.unpack_from(content))
    samples, version = _TIME_AND_VERSION.unpack_from(content, _TEXTS.size)
    levels: list[float | None] = [None] * 5
    if version >= _HAS_LOUDNESS and len(content) >= _LOUDNESS_AT + _LOUDNESS.size:
        said = _LOUDNESS.unpack_from(content, _LOUDNESS_AT)
        levels = [None if value == _UNSET else value / 100.0 for value in said]
    return BroadcastInfo(
        description=description,
        originator=originator,
        originator_reference=reference,
        origination_date=_joined(_DATE, date, "-"),
        origination_time=_joined(_TIME, time, ":"),
        time_reference_s=samples / rate,
        integrated_lufs=levels[0],
        range_lu=levels[1],
        true_peak_dbtp=levels[2],
        momentary_max_lufs=levels[3],
        short_term_max_lufs=levels[4],
    )


def _joined(form: re.Pattern[str], text: str | None, between: str) -> str | None:
    """Three numbers with the usual character between them, for which the standard allows several."""
    found = form.fullmatch(text or "")
    return between.join(found.groups()) if found else None
