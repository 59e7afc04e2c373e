"""One channel of a frame: constant, plain, or predicted (RFC 9639, section 9.2)."""

from collections.abc import Callable
from typing import Final, cast

import numpy as np
from numba.np.unsafe.ndarray import to_fixed_tuple

from harken.audio.blocks import Bytes, Integers
from harken.audio.flac.bits import bits_at, signed_bits_at, zeros_at
from harken.audio.flac.residual import BEFORE, BROKEN, read_residual
from harken.audio.kernel import kernel

# A tuple whose length numba knows; its stub forgets that it is called as it is used.
_fixed_tuple = cast("Callable[[Integers, int], tuple[int, ...]]", to_fixed_tuple)

_CONSTANT, _PLAIN, _FIXED, _LINEAR = 0, 1, 8, 32  # the first of the types
_MOST_FIXED: Final = 4  # samples that a fixed prediction looks back
_PRECISION_BITS: Final = 4
_MOST_PRECISION: Final = 15  # bits of a weight
_SHIFT_BITS: Final = 5
# Of polynomials through the last 0 to 4 samples.
_FIXED_WEIGHTS: Final = np.array(
    [[0, 0, 0, 0], [1, 0, 0, 0], [2, -1, 0, 0], [3, -3, 1, 0], [4, -6, 4, -1]], dtype=np.int32
)


@kernel
def read_subframe(data: Bytes, position: int, end: int, width: int, line: Integers) -> int:
    """Fill `line` after its BEFORE places from bit `position` on; the bit after it, or BROKEN.

    width: bits of a sample.
    """
    header = bits_at(data, position, 8)
    position += 8
    kind = header >> 1
    if position >= end or kind >= 2 * _LINEAR:
        return BROKEN
    unused = 0  # low bits that are 0 in every sample
    if header & 1:
        zeros = zeros_at(data, position, end)
        unused = zeros + 1
        position += unused
        width -= unused
        if zeros < 0 or width <= 0:
            return BROKEN
    if kind == _CONSTANT:
        line[BEFORE:] = signed_bits_at(data, position, width)
        position += width
    elif kind == _PLAIN:
        position = _read_samples(data, position, end, width, line[BEFORE:])
    elif _FIXED <= kind <= _FIXED + _MOST_FIXED:
        position = _read_fixed(data, position, end, width, kind - _FIXED, line)
    elif kind >= _LINEAR:
        position = _read_linear(data, position, end, width, kind - _LINEAR + 1, line)
    else:
        return BROKEN
    if position > end:
        return BROKEN
    if unused:
        line[BEFORE:] <<= unused
    return position


@kernel
def _read_samples(data: Bytes, position: int, end: int, width: int, samples: Integers) -> int:
    if position + width * samples.shape[0] > end:
        return BROKEN
    for at in range(samples.shape[0]):
        samples[at] = signed_bits_at(data, position, width)
        position += width
    return position


@kernel
def _read_fixed(
    data: Bytes, position: int, end: int, width: int, order: int, line: Integers
) -> int:
    if order > line.shape[0] - BEFORE:
        return BROKEN
    position = _read_samples(data, position, end, width, line[BEFORE : BEFORE + order])
    if position == BROKEN:
        return BROKEN
    weights = _fixed_tuple(_FIXED_WEIGHTS[order], 4)
    return read_residual(data, position, end, order, weights, 0, line)


@kernel
def _read_linear(
    data: Bytes, position: int, end: int, width: int, order: int, line: Integers
) -> int:
    if order > line.shape[0] - BEFORE:
        return BROKEN
    position = _read_samples(data, position, end, width, line[BEFORE : BEFORE + order])
    if position == BROKEN or position + _PRECISION_BITS + _SHIFT_BITS > end:
        return BROKEN
    precision = bits_at(data, position, _PRECISION_BITS) + 1
    shift = signed_bits_at(data, position + _PRECISION_BITS, _SHIFT_BITS)
    if precision > _MOST_PRECISION or shift < 0:
        return BROKEN
    position += _PRECISION_BITS + _SHIFT_BITS
    weights = np.zeros(BEFORE, dtype=np.int32)
    position = _read_samples(data, position, end, precision, weights[:order])
    if position == BROKEN:
        return BROKEN
    # Encoders look back 8 samples by default and 12 at their best.
    if order <= 8:
        return read_residual(data, position, end, order, _fixed_tuple(weights, 8), shift, line)
    if order <= 12:
        return read_residual(data, position, end, order, _fixed_tuple(weights, 12), shift, line)
    return read_residual(data, position, end, order, _fixed_tuple(weights, BEFORE), shift, line)
