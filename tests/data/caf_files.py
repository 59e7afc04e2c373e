"""Core Audio files whose channels stand in any order: FFmpeg knows such a list from CAF and MOV alone."""

import struct
from collections.abc import Sequence

from tests.data.wave_files import coded, tone

LEFT, RIGHT, CENTRE, BASS = 1, 2, 3, 4  # Core Audio's labels of speakers
UNKNOWN = 0xFFFFFFFF


def caf(labels: Sequence[int], *, rate: int = 44_100, seconds: float = 0.5) -> bytes:
    """A file of 16-bit samples, a channel for each label."""
    count = len(labels)
    about = struct.pack(">d4sIIIII", rate, b"lpcm", 2, 2 * count, 1, count, 16)
    speakers = b"".join(struct.pack(">II3f", label, 0, 0, 0, 0) for label in labels)
    body = bytes(4) + coded(tone(seconds, rate, count), 16)
    return (
        b"caff\0\1\0\0"
        + _chunk(b"desc", about)
        + _chunk(b"chan", struct.pack(">III", 0, 0, count) + speakers)
        + _chunk(b"data", body)
    )


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack(">q", len(body)) + body
