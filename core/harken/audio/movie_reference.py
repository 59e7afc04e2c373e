"""QuickTime movies whose sound lies in another file, which is not opened: told apart once no sample came out."""

import struct
from typing import Final

from harken.audio import errors
from harken.audio.errors import InputError
from harken.audio.source_file import SourceFile

_LARGEST_MOOV_BYTES: Final = 16 << 20  # of hours of sound; what is larger is not looked through
_MOST_BOXES: Final = 1_000  # at the top; there are a handful, but fragments have two each
_SELF_CONTAINED: Final = 1  # the flag of a reference to the very file


def refuse_reference(file: SourceFile) -> None:
    """Raises InputError SOUND_ELSEWHERE for a movie that refers to another file."""
    moov = _moov(file)
    at = moov.find(b"dref")
    while at >= 0 and at + 24 <= len(moov):
        count, flags = struct.unpack_from(">8xI8xI", moov, at)
        if count and not flags & _SELF_CONTAINED:
            raise InputError(
                errors.SOUND_ELSEWHERE,
                "The movie refers to another file for its sound, which is not opened. Export it as self-contained.",
            )
        at = moov.find(b"dref", at + 4)


def _moov(file: SourceFile) -> bytes:
    """The box that describes the tracks; empty where there is none."""
    at = 0
    for _ in range(_MOST_BOXES):
        if file.seek(at) < 0 or len(head := file.read(16)) < 16:
            break
        size, kind = struct.unpack_from(">I4s", head)
        if size == 1:
            size = struct.unpack_from(">Q", head, 8)[0]
        if kind == b"moov":
            file.seek(at)
            return file.read(min(size, _LARGEST_MOOV_BYTES))
        if size < 8:
            break
        at += size
    return b""
