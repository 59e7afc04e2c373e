"""Bits out of bytes, the most significant first, as the loops of a decoder read them.

Reading looks up to 8 bytes ahead, so bytes are followed by as many zeros (`PADDING`).
"""

from collections.abc import Callable
from typing import Any, Final, cast

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from harken.audio.blocks import Bytes
from harken.audio.kernel import kernel

PADDING: Final = 16  # bytes
AHEAD: Final = 56  # bits of a word that are there wherever in a byte it begins


# numba calls both functions of an intrinsic by position, and looks at the names of the outer one's parameters.
def _word_at(_: Any, data: Any, at: Any) -> Any:  # noqa: ARG001
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        start = builder.gep(array.data, [arguments[1]])
        word = builder.load(builder.bitcast(start, ir.IntType(64).as_pointer()))
        word.align = 1
        return builder.bswap(word)

    return types.uint64(data, types.int64), generate


def _leading_zeros(_: Any, word: Any) -> Any:  # noqa: ARG001
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctlz(arguments[0], ir.IntType(1)(0))

    return types.int64(types.uint64), generate


# One instruction each, which numba has no name for.
# The 8 bytes from byte `at` on as a number, the first byte the highest; nothing is checked.
word_at = cast("Callable[[Bytes, int], np.uint64]", intrinsic(_word_at))
# How many bits of a word are 0 before the first 1; 64 of no 1.
leading_zeros = cast("Callable[[np.uint64], int]", intrinsic(_leading_zeros))


@kernel
def bits_at(data: Bytes, position: int, count: int) -> int:
    """Up to 56 bits from bit `position` on, as a number without sign."""
    if count == 0:
        return 0
    word = word_at(data, position >> 3) << np.uint64(position & 7)
    return int(np.int64(word >> np.uint64(64 - count)))


@kernel
def signed_bits_at(data: Bytes, position: int, count: int) -> int:
    """The same in two's complement."""
    if count == 0:
        return 0
    word = word_at(data, position >> 3) << np.uint64(position & 7)
    return int(np.int64(word) >> np.int64(64 - count))


@kernel
def zeros_at(data: Bytes, position: int, end: int) -> int:
    """How many bits are 0 from `position` on, before a 1; -1 if there is no 1 before `end`."""
    for at in range(position, end):
        if data[at >> 3] & (0x80 >> (at & 7)):
            return at - position
    return -1
