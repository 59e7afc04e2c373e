"""FLAC frames put together by hand: hours of silence in a few bytes."""

import struct

BLOCK = 65_535  # samples of the largest block


def silent_flac(*, rate: int, samples: int, channels: int = 2) -> bytes:
    """A valid FLAC file of 16-bit zeros: 14 bytes for each 65,535 samples of stereo (RFC 9639)."""
    facts = (rate & 0xFFFFF) << 44 | (channels - 1) << 41 | 15 << 36 | samples & (1 << 36) - 1
    info = struct.pack(">HH", BLOCK, BLOCK) + bytes(6) + struct.pack(">Q", facts) + bytes(16)
    frames = [
        _frame(number, min(BLOCK, samples - number * BLOCK), channels)
        for number in range(-(-samples // BLOCK))
    ]
    return b"fLaC\x80\0\0\x22" + info + b"".join(frames)


def _frame(number: int, count: int, channels: int) -> bytes:
    # Fixed block size, its value in 16 bits, rate as in STREAMINFO; channels; 16 bits a sample.
    head = b"\xff\xf8\x70" + bytes([channels - 1 << 4 | 0b1000])
    head += chr(number).encode("utf-8", "surrogatepass") + struct.pack(">H", count - 1)
    head += bytes([_crc(head, 0x07, 8)])
    frame = head + b"\0\0\0" * channels  # each subframe: the constant 0
    return frame + struct.pack(">H", _crc(frame, 0x8005, 16))


def _crc(data: bytes, polynomial: int, bits: int) -> int:
    value, top = 0, 1 << bits - 1
    for byte in data:
        value ^= byte << bits - 8
        for _ in range(8):
            value = (value << 1 ^ polynomial if value & top else value << 1) & (1 << bits) - 1
    return value
