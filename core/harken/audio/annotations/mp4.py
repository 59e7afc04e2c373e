"""The tempo of an MP4 file: the item "tmpo" of iTunes' list, which FFmpeg does not hand on."""

import struct
from collections.abc import Iterator
from typing import Final

from harken.audio.chunks import MOST_CHUNKS, Bytes, read_at

# From the outermost atom inwards; "meta" has four bytes of version and flags before its first.
_PATH: Final = ((b"moov", 0), (b"udta", 0), (b"meta", 4), (b"ilst", 0), (b"tmpo", 0), (b"data", 8))
_LONG: Final = 1  # a size that stands in the next eight bytes
_TO_THE_END: Final = 0


def tempo_bpm(file: Bytes) -> float | None:
    """The tempo in whole beats per minute; None where there is none, or the file is no MP4."""
    if read_at(file, 4, 4) != b"ftyp":
        return None
    start, end = 0, file.size
    for name, head in _PATH:
        inside = next(((s, e) for found, s, e in _atoms(file, start, end) if found == name), None)
        if inside is None:
            return None
        start, end = inside[0] + head, inside[1]
    value = read_at(file, start, min(end - start, 8))
    return float(int.from_bytes(value, "big")) if len(value) in (1, 2, 4) else None


def _atoms(file: Bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The atoms between two places: name, and where the content begins and ends."""
    at = start
    for _ in range(MOST_CHUNKS):
        header = read_at(file, at, 16)
        if at + 8 > end or len(header) < 8:
            return
        size, content = struct.unpack(">I", header[:4])[0], at + 8
        if size == _LONG and len(header) == 16:
            size, content = struct.unpack(">Q", header[8:])[0], at + 16
        after = end if size == _TO_THE_END else at + size
        if after < content:
            return
        yield header[4:8], content, min(after, end)
        at = after
