"""Tempo and key by the file's tags, under the names that FFmpeg gives them."""

import re
from collections.abc import Mapping
from typing import Final

from harken.audio.annotations.acid import tempo_of
from harken.audio.annotations.text import MOST_CHARS

# Of Vorbis comments and APE, of ID3.
TEMPO_NAMES: Final = ("bpm", "tbpm", "tempo")
KEY_NAMES: Final = ("initialkey", "initial_key", "initial key", "tkey", "key")
_NUMBER: Final = re.compile(r"\s*(\d{1,4}(?:[.,]\d{1,6})?)\s*(?:bpm)?\s*", re.IGNORECASE)


def tempo_bpm(tags: Mapping[str, str]) -> float | None:
    """The tempo; tags that are no number, and 0, say nothing."""
    for name in TEMPO_NAMES:
        if found := _NUMBER.fullmatch(tags.get(name, "")):
            tempo = tempo_of(float(found[1].replace(",", ".")))
            if tempo is not None:
                return tempo
    return None


def key(tags: Mapping[str, str]) -> str | None:
    """The key as it is written."""
    found = (tags.get(name, "").replace("\0", " ").strip() for name in KEY_NAMES)
    return next((text[:MOST_CHARS] for text in found if text), None)
