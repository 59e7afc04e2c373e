"""What precedes the sound in an MP3 file: tags (ID3v2), and a frame without sound that tells how long it is.

The latter is known by the names Xing, Info and LAME. An encoder puts silence before the sound and behind it; LAME
and FFmpeg write down how much.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from harken.audio.mp3.frames import HEADER_BYTES, LONGEST_FRAME, Form
from harken.audio.source_file import SourceFile

_TAG_HEADER_BYTES: Final = 10
_MOST_TAGS: Final = 10  # files have one
_FOOTER: Final = 0x10
_FRAMES, _BYTES, _PLACES, _QUALITY = 1, 2, 4, 8  # what the frame tells
_SIZES: Final = {_FRAMES: 4, _BYTES: 4, _PLACES: 100, _QUALITY: 4}
_ENCODERS: Final = (b"LAME", b"Lavf", b"Lavc")
_DELAYS: Final = 21  # bytes from the encoder's name on
_DECODER_DELAY: Final = 528 + 1  # samples that every decoder adds


@dataclass(frozen=True, slots=True)
class Opening:
    """Where the sound is."""

    form: Form
    start: int  # byte of the first frame
    frames: int | None  # as many as the file promises
    delay: int  # samples to leave out at the beginning
    end: int | None  # the sample that is the first to be left out

    @classmethod
    def of(cls, file: SourceFile) -> "Opening | None":
        """Of a plain file; None for any other."""
        at = _after_tags(file)
        first = b"" if at is None else _read(file, at, LONGEST_FRAME)
        form = Form.of(first)
        if at is None or form is None or first[HEADER_BYTES + 32 :].startswith(b"VBRI"):
            return None
        length = form.length(first, 0)
        told = _told(first[:length], form)
        start = at if told is None else at + length
        if not _begins(_read(file, start, LONGEST_FRAME + HEADER_BYTES), form):
            return None
        if told is None:
            return cls(form, start, None, 0, None)
        frames, delays = told
        if frames == 0:  # such a frame does not count
            return None
        if delays is None:
            return cls(form, start, frames, 0, None)
        before, behind = delays >> 12, delays & 0xFFF
        end = frames * form.samples - max(behind - _DECODER_DELAY, 0)
        return cls(form, start, frames, before + _DECODER_DELAY, end)


def _begins(data: bytes, form: Form) -> bool:
    """Whether sound begins there, to FFmpeg: with two frames, alike down to their copyright."""
    second = form.length(data, 0)
    if second == 0 or form.length(data, second) == 0:
        return False
    alike = (data[at] & 0xCF for at in (3, second + 3))
    return next(alike) == next(alike)


def _after_tags(file: SourceFile) -> int | None:
    at = 0
    for _ in range(_MOST_TAGS):
        head = _read(file, at, _TAG_HEADER_BYTES)
        if not head.startswith(b"ID3"):
            return at
        size = head[6:]
        if len(size) < 4 or max(size) > 0x7F:
            return None
        at += _TAG_HEADER_BYTES + (size[0] << 21 | size[1] << 14 | size[2] << 7 | size[3])
        at += _TAG_HEADER_BYTES if head[5] & _FOOTER else 0
    return None


def _told(frame: bytes, form: Form) -> tuple[int, int | None] | None:
    """How many frames (0: it does not say) and the delays, 12 bits each; None for a frame of sound."""
    wide, narrow = (32, 17) if form.samples == 1_152 else (17, 9)
    at = HEADER_BYTES + (narrow if form.mono else wide)
    if frame[at : at + 4] not in (b"Xing", b"Info"):
        return None
    tells = int.from_bytes(frame[at + 4 : at + 8], "big")
    frames = int.from_bytes(frame[at + 8 : at + 12], "big") if tells & _FRAMES else 0
    at += 8 + sum(size for kind, size in _SIZES.items() if tells & kind)
    if frame[at : at + 4] not in _ENCODERS:
        return frames, None
    return frames, int.from_bytes(frame[at + _DELAYS : at + _DELAYS + 3], "big")


def _read(file: SourceFile, at: int, count: int) -> bytes:
    room = np.empty(count, dtype=np.uint8)
    return room[: file.read_into(room, at)].tobytes()
