"""How the engine's inner loops are compiled: numba, one set of options, one cache.

Write a kernel as plain loops over arrays, the longest contiguous axis innermost, slices taken
before the loop that runs over them: that is the form the compiler turns into vector instructions.
"""

from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")

# Sums may be reordered and multiplications fused. "nnan" and "ninf" are left out: with them the
# compiler deletes every test for NaN.
FAST_MATH: Final = frozenset({"reassoc", "contract", "arcp", "nsz"})


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """`function`, compiled at its first call and kept on disk for the next process."""
    compiled = numba.njit(cache=True, fastmath=set(FAST_MATH), error_model="numpy")(function)
    return cast("Callable[P, R]", compiled)
