"""The chunks of a RIFF, RF64, BW64 or AIFF file, with no more read than is asked for.

Sizes in a file are claims: a chunk ends with the file at the latest, and of one that is asked for at
most `MOST_BYTES` are read.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

MOST_CHUNKS: Final = 1_000  # that are looked at; files have some ten
MOST_BYTES: Final = 1 << 20  # of one chunk: a thousand markers with labels are 200 kB
_IN_DS64: Final = 0xFFFF_FFFF  # a size of 32 bits that stands in the chunk "ds64"


class Bytes(Protocol):
    """What chunks are read from."""

    size: int

    def seek(self, offset: int) -> int: ...  # noqa: D102
    def read(self, count: int) -> bytes: ...  # noqa: D102


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """A chunk: its four characters, and where its content is in the file."""

    name: str
    start: int
    size: int
    is_whole: bool  # not cut short by the end of the file
    file: Bytes

    def read(self) -> bytes:
        """The content, as far as it is there, up to the most that is read."""
        return read_at(self.file, self.start, min(self.size, MOST_BYTES))


@dataclass(frozen=True, kw_only=True)
class Form:
    """A file of chunks: "WAVE", "AIFF" or "AIFC"."""

    outer: str  # "RIFF", "RF64", "BW64" or "FORM"
    name: str
    chunks: tuple[Chunk, ...]

    def content(self, name: str) -> bytes | None:
        """The content of the first chunk of that name."""
        return next((chunk.read() for chunk in self.chunks if chunk.name == name), None)


def form_of(file: Bytes) -> Form | None:
    """The chunks of a file; None for one that is not made of chunks."""
    start = read_at(file, 0, 12)
    if len(start) < 12:
        return None
    outer, name = start[:4], start[8:].decode("latin-1")
    if outer in (b"RIFF", b"RF64", b"BW64") and name == "WAVE":
        chunks = tuple(_chunks(file, "<", _ds64(file, outer)))
        return Form(outer=outer.decode(), name=name, chunks=chunks)
    if outer == b"FORM" and name in ("AIFF", "AIFC"):
        return Form(outer="FORM", name=name, chunks=tuple(_chunks(file, ">", None)))
    return None


def subchunks(content: bytes, order: str = "<") -> Iterator[tuple[str, bytes]]:
    """The chunks within the content of a LIST, behind its four characters."""
    at = 4
    for _ in range(MOST_CHUNKS):
        if at + 8 > len(content):
            return
        name = content[at : at + 4].decode("latin-1")
        (size,) = struct.unpack_from(order + "I", content, at + 4)
        yield name, content[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _chunks(file: Bytes, order: str, data_size: int | None) -> Iterator[Chunk]:
    at = 12
    for _ in range(MOST_CHUNKS):
        header = read_at(file, at, 8)
        if len(header) < 8:
            return
        name, size = header[:4].decode("latin-1"), struct.unpack(order + "I", header[4:])[0]
        if name == "data" and size == _IN_DS64 and data_size is not None:
            size = data_size
        there = file.size - at - 8
        yield Chunk(
            name=name, start=at + 8, size=min(size, there), is_whole=size <= there, file=file
        )
        at += 8 + size + size % 2
        if at >= file.size:
            return


def _ds64(file: Bytes, outer: bytes) -> int | None:
    """The size of the samples of a file over 4 GiB."""
    if outer == b"RIFF":
        return None
    content = read_at(file, 12, 8 + 28)
    if len(content) < 36 or content[:4] != b"ds64":
        return None
    return struct.unpack_from("<Q", content, 16)[0]


def read_at(file: Bytes, at: int, count: int) -> bytes:
    """So many bytes from a place, or as many as there are."""
    if at >= file.size or file.seek(at) != at:
        return b""
    found = bytearray()
    while len(found) < count and (more := file.read(count - len(found))):
        found += more
    return bytes(found)
