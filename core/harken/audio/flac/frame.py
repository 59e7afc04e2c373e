"""A frame of FLAC: its header, its channels, and the two of stereo told apart (RFC 9639, section 9)."""

from typing import Final

import numpy as np

from harken.audio.blocks import Bytes, Floats, Integers
from harken.audio.flac.bits import bits_at
from harken.audio.flac.residual import BEFORE, BROKEN
from harken.audio.flac.subframe import read_subframe
from harken.audio.kernel import kernel

MOST_SAMPLES: Final = 65_536  # of a channel in one frame
_LEAST_BYTES: Final = 10  # of any frame
_FOOTER_BYTES: Final = 2
_SLICES: Final = 16  # bytes whose part in the check sum is looked up at once
_LEFT_SIDE, _SIDE_RIGHT, _MIDDLE_SIDE = 8, 9, 10
_RATES: Final = np.array(
    [0, 88_200, 176_400, 192_000, 8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000],
    dtype=np.int64,
)
_WIDTHS: Final = np.array([0, 8, 12, -1, 16, 20, 24, 32], dtype=np.int64)


@kernel
def read_frame(
    data: Bytes, size: int, sample_rate: int, width: int, lines: Integers
) -> tuple[int, int]:
    """Read the frame that begins with the data: samples of each channel, and bytes; BROKEN and 0 for none.

    BROKEN is also what is not as the stream said at its start, and what its check sum says is damaged.

    data: `size` bytes or more than a frame has, followed by PADDING zeros.
    width: bits of a sample.
    lines: (channels, BEFORE + the longest frame's samples); a channel's samples begin after BEFORE places.
    """
    if size < _LEAST_BYTES or data[0] != 0xFF or data[1] & 0xFE != 0xF8:
        return BROKEN, 0
    assignment = data[3] >> 4
    channels = assignment + 1 if assignment < _LEFT_SIDE else 2
    if assignment > _MIDDLE_SIDE or channels != lines.shape[0]:
        return BROKEN, 0
    own_width = _WIDTHS[(data[3] >> 1) & 7]
    if data[3] & 1 or (own_width and own_width != width):
        return BROKEN, 0
    at = _after_number(data)
    if at == BROKEN:
        return BROKEN, 0
    samples, at = _length(data, at)
    own_rate, at = _rate(data, at)
    if samples == BROKEN or samples > lines.shape[1] - BEFORE or at >= size:
        return BROKEN, 0
    if own_rate and own_rate != sample_rate:
        return BROKEN, 0
    if data[at] != header_check(data[:at]):
        return BROKEN, 0
    position, end = 8 * (at + 1), 8 * size
    side = 0 if assignment == _SIDE_RIGHT else 1
    for channel in range(channels):
        # A difference takes one bit more.
        more = 1 if assignment >= _LEFT_SIDE and channel == side else 0
        line = lines[channel, : BEFORE + samples]
        position = read_subframe(data, position, end, width + more, line)
        if position == BROKEN:
            return BROKEN, 0
    whole = (position + 7) // 8 + _FOOTER_BYTES
    if whole > size or frame_check(data[:whole], _REMAINDERS) != 0:
        return BROKEN, 0
    if assignment >= _LEFT_SIDE:
        _part(lines[0, BEFORE : BEFORE + samples], lines[1, BEFORE : BEFORE + samples], assignment)
    if not _fits(lines, samples, width):
        return BROKEN, 0
    return samples, whole


@kernel
def scale_samples(
    lines: Integers, first: int, width: int, samples: Floats, start: int, count: int
) -> None:
    """Write `count` numbers of a frame, from its `first` on, to `samples`, from `start` on, full scale ±1.

    width: bits of a number. lines: as of `read_frame`. samples: (channels, n).
    """
    scale = np.float32(1.0) / np.float32(1 << (width - 1))
    for channel in range(samples.shape[0]):
        numbers = lines[channel, BEFORE + first : BEFORE + first + count]
        made = samples[channel, start : start + count]
        for at in range(count):
            made[at] = np.float32(numbers[at]) * scale


@kernel
def _fits(lines: Integers, samples: int, width: int) -> bool:
    """Whether no number has more bits than `width`."""
    beyond = np.int32(0)
    for channel in range(lines.shape[0]):
        numbers = lines[channel, BEFORE : BEFORE + samples]
        for at in range(samples):
            beyond |= numbers[at] ^ (numbers[at] >> 31)
    return beyond >> (width - 1) == 0


@kernel
def _after_number(data: Bytes) -> int:
    """The byte after the number of the frame, which is written as UTF-8 does."""
    first = data[4]
    if first < 0x80:
        return 5
    length = 0
    while first & (0x80 >> length):
        length += 1
    return 4 + length if 2 <= length <= 7 else BROKEN


@kernel
def _length(data: Bytes, at: int) -> tuple[int, int]:
    """How many samples each channel has, and where the header goes on."""
    code = data[2] >> 4
    if code == 0:
        return BROKEN, at
    if code == 1:
        return 192, at
    if code < 6:
        return 576 << (code - 2), at
    if code == 6:
        return bits_at(data, 8 * at, 8) + 1, at + 1
    if code == 7:
        return bits_at(data, 8 * at, 16) + 1, at + 2
    return 256 << (code - 8), at


@kernel
def _rate(data: Bytes, at: int) -> tuple[int, int]:
    """The rate in Hz, 0 for the stream's and -1 for none, and where the header goes on."""
    code = data[2] & 15
    if code < _RATES.shape[0]:
        return int(_RATES[code]), at
    if code == 12:
        return 1000 * bits_at(data, 8 * at, 8), at + 1
    if code == 13:
        return bits_at(data, 8 * at, 16), at + 2
    if code == 14:
        return 10 * bits_at(data, 8 * at, 16), at + 2
    return -1, at


@kernel
def header_check(header: Bytes) -> int:
    """CRC-8 with the polynomial x⁸ + x² + x + 1."""
    check = 0
    for byte in header:
        check ^= byte
        for _ in range(8):
            check = (check << 1) ^ (0x107 if check & 0x80 else 0)
    return check


@kernel
def frame_check(frame: Bytes, remainders: Integers) -> int:
    """CRC-16 with the polynomial x¹⁶ + x¹⁵ + x² + 1; 0 of a frame with its own check sum.

    Sixteen bytes at a time, of which only two wait for those before (Kounavis, Berry 2008, "Novel table lookup-based
    algorithms for high-performance CRC generation"); remainders: `_remainders()`.
    """
    check = 0
    whole = frame.shape[0] // _SLICES * _SLICES
    for start in range(0, whole, _SLICES):
        part = frame[start : start + _SLICES]
        rest = np.int32(0)
        for at in range(2, _SLICES):
            rest ^= remainders[_SLICES - 1 - at, part[at]]
        first = remainders[_SLICES - 1, part[0] ^ (check >> 8)]
        check = rest ^ first ^ remainders[_SLICES - 2, part[1] ^ (check & 0xFF)]
    for at in range(whole, frame.shape[0]):
        check = (check << 8 & 0xFF00) ^ remainders[0, frame[at] ^ (check >> 8)]
    return check


def _remainders() -> Integers:
    """The check of each byte that 0 to 15 zeros follow, (16, 256)."""
    table = np.arange(256, dtype=np.int32) << 8
    for _ in range(8):
        table = np.where(table & 0x8000, table << 1 ^ 0x18005, table << 1).astype(np.int32)
    rows = [table]
    for _ in range(_SLICES - 1):
        rows.append((rows[-1] << 8 & 0xFF00) ^ table[rows[-1] >> 8])
    return np.stack(rows)


_REMAINDERS: Final = _remainders()


@kernel
def _part(first: Integers, second: Integers, assignment: int) -> None:
    """What is stored, as left and right."""
    if assignment == _LEFT_SIDE:
        for at in range(first.shape[0]):
            second[at] = first[at] - second[at]
    elif assignment == _SIDE_RIGHT:
        for at in range(first.shape[0]):
            first[at] += second[at]
    else:
        for at in range(first.shape[0]):
            # The sum's lowest bit, which the mean has lost, is that of the difference.
            total = (first[at] << 1) | (second[at] & 1)
            difference = second[at]
            first[at] = (total + difference) >> 1
            second[at] = (total - difference) >> 1
