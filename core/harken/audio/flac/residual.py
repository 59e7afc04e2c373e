"""A predicted channel: what prediction left, Rice-coded, and the samples that it and the prediction make.

RFC 9639, sections 9.2.5 to 9.2.7. Each sample is a sum over those before it, whose weights are a tuple: of each of its
lengths numba makes a loop of its own, in which the weights stay in registers. Code and prediction are read in one loop,
because each has to wait for its own last value, and the processor works on one while it waits for the other.
"""

from typing import Final

import numpy as np

from harken.audio.blocks import Bytes, Integers
from harken.audio.flac.bits import AHEAD, bits_at, leading_zeros, signed_bits_at, word_at, zeros_at
from harken.audio.kernel import kernel

BEFORE: Final = 32  # places before a channel's first sample: the most that a prediction looks back
BROKEN: Final = -1  # in place of a position: these bits are no FLAC
_PARAMETER_BITS: Final = 4  # one more in the second method


@kernel
def read_residual(
    data: Bytes,
    position: int,
    end: int,
    order: int,
    weights: tuple[int, ...],
    shift: int,
    line: Integers,
) -> int:
    """Fill `line` from `order` samples on; the bit after the last, or BROKEN.

    weights: of the last sample, the one before it, …; more than `order` if the rest are 0.
    shift: bits that the weighted sum is shifted down by.
    line: BEFORE places, and then the channel's samples.
    """
    method = bits_at(data, position, 2)
    splits = bits_at(data, position + 2, 4)
    position += 6
    length = line.shape[0] - BEFORE
    count = length >> splits
    if method > 1 or count << splits != length or count < order:
        return BROKEN
    parameter_bits = _PARAMETER_BITS + method
    start = BEFORE + order
    for part in range(1 << splits):
        stop = BEFORE + (part + 1) * count
        if position >= end:
            return BROKEN
        parameter = bits_at(data, position, parameter_bits)
        position += parameter_bits
        window = line[start - len(weights) : stop]
        if parameter == (1 << parameter_bits) - 1:
            position = _read_plain(data, position, end, weights, shift, window)
        else:
            position = _read_rice(data, position, end, parameter, weights, shift, window)
        if position == BROKEN:
            return BROKEN
        start = stop
    return position


@kernel
def _read_rice(
    data: Bytes,
    position: int,
    end: int,
    low_bits: int,
    weights: tuple[int, ...],
    shift: int,
    window: Integers,
) -> int:
    """A part in Rice's code: the high bits as so many zeros before a 1, then the low ones.

    window: the samples that the first prediction looks at, and then the part's.
    """
    back = len(weights)
    mask = np.uint64((1 << low_bits) - 1)
    # Unsigned, so that numba does not ask at each place whether it is counted from the end.
    for at in range(np.uint64(window.shape[0] - back)):
        word = word_at(data, position >> 3) << np.uint64(position & 7)
        high = leading_zeros(word)
        if high + low_bits + 1 <= AHEAD:
            low = (word >> np.uint64(63 - low_bits - high)) & mask
            position += high + 1 + low_bits
        else:
            # Also where the data end: the zeros behind them are never ended by a 1.
            high = zeros_at(data, position, end)
            if high < 0:
                return BROKEN
            low = np.uint64(bits_at(data, position + high + 1, low_bits))
            position += high + 1 + low_bits
        folded = (np.uint64(high) << np.uint64(low_bits)) | low
        left = np.int64(folded >> np.uint64(1)) ^ -np.int64(folded & np.uint64(1))
        total = 0
        for tap in range(back):
            total += weights[tap] * np.int64(window[at + np.uint64(back - 1 - tap)])
        window[at + np.uint64(back)] = left + (total >> shift)
    return position


@kernel
def _read_plain(
    data: Bytes,
    position: int,
    end: int,
    weights: tuple[int, ...],
    shift: int,
    window: Integers,
) -> int:
    """A part whose residual is written as plain numbers, because it does not become shorter."""
    width = bits_at(data, position, 5)
    position += 5
    back = len(weights)
    count = window.shape[0] - back
    if position + count * width > end:
        return BROKEN
    for at in range(count):
        left = signed_bits_at(data, position, width)
        position += width
        total = 0
        for tap in range(back):
            total += weights[tap] * np.int64(window[at + back - 1 - tap])
        window[at + back] = left + (total >> shift)
    return position
