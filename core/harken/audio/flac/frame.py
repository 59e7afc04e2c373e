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
_LEFT_SIDE, _SIDE_RIGHT, _MIDDLE_SIDE = 8, 9, 10
_RATES: Final = np.array(
    [0, 88_200, 176_400, 192_000, 8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000],
    dtype=np.int64,
)
_WIDTHS: Final = np.array([0, 8, 12, -1, 16, 20, 24, 32], dtype=np.int64)


@kernel
def read_frame(data: Bytes, size: int, sample_rate: int, width: int, lines: Integers) -> int:
    """Read the frame in the first `size` bytes; samples of each channel, or BROKEN.

    BROKEN is also what is not as the stream said at its start, and what does not end with the bytes: where one frame
    is damaged, those behind it come as one with it.

    data: the frame, followed by PADDING zeros.
    width: bits of a sample.
    lines: (channels, BEFORE + MOST_SAMPLES); a channel's samples begin after BEFORE places.
    """
    if size < _LEAST_BYTES or data[0] != 0xFF or data[1] & 0xFE != 0xF8:
        return BROKEN
    assignment = data[3] >> 4
    channels = assignment + 1 if assignment < _LEFT_SIDE else 2
    if assignment > _MIDDLE_SIDE or channels != lines.shape[0]:
        return BROKEN
    own_width = _WIDTHS[(data[3] >> 1) & 7]
    if data[3] & 1 or (own_width and own_width != width):
        return BROKEN
    at = _after_number(data)
    if at == BROKEN:
        return BROKEN
    samples, at = _length(data, at)
    own_rate, at = _rate(data, at)
    if samples == BROKEN or (own_rate and own_rate != sample_rate):
        return BROKEN
    if data[at] != _check(data[:at]):
        return BROKEN
    position, end = 8 * (at + 1), 8 * size
    side = 0 if assignment == _SIDE_RIGHT else 1
    for channel in range(channels):
        # A difference takes one bit more.
        more = 1 if assignment >= _LEFT_SIDE and channel == side else 0
        line = lines[channel, : BEFORE + samples]
        position = read_subframe(data, position, end, width + more, line)
        if position == BROKEN:
            return BROKEN
    if (position + 7) // 8 + _FOOTER_BYTES != size:
        return BROKEN
    if assignment >= _LEFT_SIDE:
        _part(lines[0, BEFORE : BEFORE + samples], lines[1, BEFORE : BEFORE + samples], assignment)
    return samples


@kernel
def scale_samples(lines: Integers, width: int, samples: Floats) -> bool:
    """Numbers of `width` bits as floats, full scale ±1; False if one of them has more bits than that.

    lines: (channels, at least n); samples: (channels, n).
    """
    scale = np.float32(1.0) / np.float32(1 << (width - 1))
    beyond = np.int32(0)
    for channel in range(samples.shape[0]):
        numbers, made = lines[channel], samples[channel]
        for at in range(made.shape[0]):
            number = numbers[at]
            beyond |= number ^ (number >> 31)
            made[at] = np.float32(number) * scale
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
def _check(header: Bytes) -> int:
    """CRC-8 with the polynomial x⁸ + x² + x + 1."""
    check = 0
    for byte in header:
        check ^= byte
        for _ in range(8):
            check = (check << 1) ^ (0x107 if check & 0x80 else 0)
    return check


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
