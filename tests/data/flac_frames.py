"""FLAC frames put together by hand: each form that RFC 9639 allows, and hours of silence in a few bytes."""

import struct
from collections.abc import Sequence
from typing import Final

BLOCK = 65_535  # samples of the largest block
LEFT_SIDE, SIDE_RIGHT, MIDDLE_SIDE = (
    8,
    9,
    10,
)  # assignments of two channels that depend on each other
# The weights of the fixed predictions, the last sample first.
FIXED: Final = ((), (1,), (2, -1), (3, -3, 1), (4, -6, 4, -1))
_WIDTHS: Final = {8: 1, 12: 2, 16: 4, 20: 5, 24: 6}


def silent_flac(*, rate: int, samples: int, channels: int = 2) -> bytes:
    """A valid FLAC file of 16-bit zeros: 14 bytes for each 65,535 samples of stereo."""
    frames = [
        frame(
            number,
            min(BLOCK, samples - number * BLOCK),
            [constant(0, width=16)] * channels,
            width=16,
        )
        for number in range(-(-samples // BLOCK))
    ]
    return flac(frames, rate=rate, samples=samples, channels=channels, width=16)


def flac(frames: Sequence[bytes], *, rate: int, samples: int, channels: int, width: int) -> bytes:
    """A file of those frames; width: bits of a sample."""
    facts = (rate & 0xFFFFF) << 44 | (channels - 1) << 41 | (width - 1) << 36
    facts |= samples & (1 << 36) - 1
    info = struct.pack(">HH", 16, BLOCK) + bytes(6) + struct.pack(">Q", facts) + bytes(16)
    return b"fLaC\x80\0\0\x22" + info + b"".join(frames)


def frame(
    number: int, count: int, channels: Sequence[str], *, width: int, assignment: int | None = None
) -> bytes:
    """A frame of `count` samples whose channels, in bits, are `channels`.

    Fixed block size, its value in 16 bits, rate as in STREAMINFO.
    """
    if assignment is None:
        assignment = len(channels) - 1
    head = b"\xff\xf8\x70" + bytes([assignment << 4 | _WIDTHS[width] << 1])
    head += chr(number).encode("utf-8", "surrogatepass") + struct.pack(">H", count - 1)
    head += bytes([_crc(head, 0x07, 8)])
    bits = "".join(channels)
    bits += "0" * (-len(bits) % 8)
    whole = head + int("1" + bits, 2).to_bytes(1 + len(bits) // 8, "big")[1:]
    return whole + struct.pack(">H", _crc(whole, 0x8005, 16))


def constant(value: int, *, width: int) -> str:
    """A channel of one value."""
    return _kind(0) + _signed(value, width)


def plain(samples: Sequence[int], *, width: int, unused: int = 0) -> str:
    """A channel written as it is; `unused` low bits are 0 in each of its samples and left out."""
    return _kind(1, unused) + "".join(
        _signed(sample >> unused, width - unused) for sample in samples
    )


def predicted(
    samples: Sequence[int],
    *,
    width: int,
    order: int,
    parts: Sequence[int | None],
    linear: tuple[Sequence[int], int, int] | None = None,
    unused: int = 0,
    method: int = 0,
) -> str:
    """A channel written as what a prediction from `order` samples leaves.

    parts: for each part of equal length its Rice parameter, or None for plain numbers; a power of two of them.
    linear: weights, their precision in bits, shift; None for the fixed prediction.
    method: 0 for parameters of 4 bits, 1 for 5.
    """
    samples = [sample >> unused for sample in samples]
    width -= unused
    bits = _kind(8 + order if linear is None else 31 + order, unused)
    bits += "".join(_signed(sample, width) for sample in samples[:order])
    weights, precision, shift = linear or (FIXED[order], 0, 0)
    if linear:
        bits += f"{precision - 1:04b}" + _signed(shift, 5)
        bits += "".join(_signed(weight, precision) for weight in weights)
    left = [
        samples[at]
        - (
            sum(weight * samples[at - 1 - back] for back, weight in enumerate(weights[:order]))
            >> shift
        )
        for at in range(order, len(samples))
    ]
    bits += f"{method:02b}{len(parts).bit_length() - 1:04b}"
    length = len(samples) // len(parts)
    for number, parameter in enumerate(parts):
        part = left[max(number * length - order, 0) : (number + 1) * length - order]
        bits += _part(part, parameter, 4 + method)
    return bits


def _part(left: Sequence[int], parameter: int | None, parameter_bits: int) -> str:
    if parameter is None:
        width = max((value.bit_length() + 1 for value in left if value), default=0)
        plain_numbers = "".join(_signed(value, width) for value in left) if width else ""
        return "1" * parameter_bits + f"{width:05b}" + plain_numbers
    bits = [f"{parameter:0{parameter_bits}b}"]
    for value in left:
        folded = 2 * value if value >= 0 else -2 * value - 1
        bits.append("0" * (folded >> parameter) + "1")
        if parameter:
            bits.append(f"{folded & (1 << parameter) - 1:0{parameter}b}")
    return "".join(bits)


def _kind(kind: int, unused: int = 0) -> str:
    return f"0{kind:06b}" + ("1" + "0" * (unused - 1) + "1" if unused else "0")


def _signed(value: int, width: int) -> str:
    assert -(1 << width - 1) <= value < 1 << width - 1
    return f"{value & (1 << width) - 1:0{width}b}"


def _crc(data: bytes, polynomial: int, bits: int) -> int:
    value, top = 0, 1 << bits - 1
    for byte in data:
        value ^= byte << bits - 8
        for _ in range(8):
            value = (value << 1 ^ polynomial if value & top else value << 1) & (1 << bits) - 1
    return value
