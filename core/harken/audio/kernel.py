"""How the engine's inner loops are compiled: numba, one set of options, one cache.

Write a kernel as plain loops over arrays, the longest contiguous axis innermost, slices taken
before the loop that runs over them: that is the form the compiler turns into vector instructions.
"""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final, ParamSpec, TypeVar, cast

import numba
import numba.core.config

P = ParamSpec("P")
R = TypeVar("R")

# Sums may be reordered and multiplications fused. "nnan" and "ninf" are left out: with them the
# compiler deletes every test for NaN.
FAST_MATH: Final = frozenset({"reassoc", "contract", "arcp", "nsz"})
# A recursion waits for its own last value: the order that is written is the one that waits least.
IN_ORDER: Final = frozenset({"contract", "arcp", "nsz"})


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """`function`, compiled at its first call and kept on disk for the next process.

    numba keeps it in NUMBA_CACHE_DIR, beside the source or in the user's cache folder, the first
    that can be written, apart for each kind of CPU; where none can, in a temporary folder.
    """
    return _kept(function, FAST_MATH)


def recursion(function: Callable[P, R]) -> Callable[P, R]:
    """The same for a loop in which each value depends on the one before it: nothing is reordered."""
    return _kept(function, IN_ORDER)


def _kept(function: Callable[P, R], fast_math: frozenset[str]) -> Callable[P, R]:
    try:
        compiled = _compiled(function, fast_math)
    except RuntimeError:
        # numba makes this name when it reads the environment, so pyright cannot know it.
        numba.core.config.CACHE_DIR = str(_last_resort())  # pyright: ignore[reportAttributeAccessIssue]
        compiled = _compiled(function, fast_math)
    return cast("Callable[P, R]", compiled)


def _compiled(function: Callable[P, R], fast_math: frozenset[str]) -> object:
    return numba.njit(cache=True, fastmath=set(fast_math), error_model="numpy")(function)


def _last_resort() -> Path:
    """A folder of this user's own under the system's temporary one."""
    folder = Path(tempfile.gettempdir(), f"harken-kernels-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        # Compiled code is executed: it must not come from a folder that someone else laid there.
        return Path(tempfile.mkdtemp(prefix="harken-kernels-"))
    return folder
