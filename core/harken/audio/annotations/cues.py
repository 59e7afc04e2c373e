"""Markers: the chunk "cue " of WAV with the labels of its "adtl" lists, "MARK" of AIFF."""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from harken.audio.annotations.text import text_of
from harken.audio.chunks import Form, subchunks
from harken.audio.result import CuePoint

MOST_CUES: Final = 1_000  # published
_COUNT: Final = struct.Struct("<I")
_CUE: Final = struct.Struct("<II4sIII")


@dataclass(frozen=True, kw_only=True)
class Marker:
    """A marker: its number, which others name it by, its sample, its label."""

    number: int
    sample: int
    label: str | None


def of_cue(form: Form) -> tuple[Marker, ...]:
    """The markers of a WAV file, in its order."""
    content = form.content("cue ")
    if content is None or len(content) < _COUNT.size:
        return ()
    (claimed,) = _COUNT.unpack_from(content)
    count = min(claimed, (len(content) - _COUNT.size) // _CUE.size)
    labels = _labels(form)
    said = (_CUE.unpack_from(content, _COUNT.size + place * _CUE.size) for place in range(count))
    return tuple(Marker(number=one[0], sample=one[5], label=labels.get(one[0])) for one in said)


def of_mark(content: bytes) -> Iterator[Marker]:
    """The markers of an AIFF file, in its order."""
    if len(content) < 2:
        return
    (claimed,) = struct.unpack_from(">H", content)
    at = 2
    for _ in range(claimed):
        if at + 7 > len(content):
            return
        number, sample, length = struct.unpack_from(">hIB", content, at)
        label = text_of(content[at + 7 : at + 7 + length])
        yield Marker(number=number, sample=sample, label=label)
        at += 7 + length + (1 - length % 2)  # the length and its text together are even


def cue_points(markers: tuple[Marker, ...], rate: int) -> tuple[CuePoint, ...]:
    """The first of the markers, in seconds."""
    return tuple(CuePoint(time_s=one.sample / rate, label=one.label) for one in markers[:MOST_CUES])


def _labels(form: Form) -> Mapping[int, str]:
    labels: dict[int, str] = {}
    for chunk in form.chunks:
        if chunk.name != "LIST":
            continue
        content = chunk.read()
        if content[:4] != b"adtl":
            continue
        for name, part in subchunks(content):
            if name == "labl" and len(part) > _COUNT.size and (text := text_of(part[4:])):
                labels.setdefault(_COUNT.unpack_from(part)[0], text)
    return labels
