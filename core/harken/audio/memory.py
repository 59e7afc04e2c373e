"""Memory that is let go of stays with the process, for the next block."""

import ctypes
from typing import Final

# glibc's names (malloc.h) and values.
_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
KEPT_BYTES: Final = 32 << 20  # more than an analysis lets go of between two blocks


def keep_what_is_freed() -> None:
    """Have glibc hold back up to 32 MiB of freed memory; does nothing with another C library.

    By itself it gives arrays of the size of a block back to the system as soon as they are let go of, and asks for the
    like a moment later. The pages, which come cleared, cost a tenth of an analysis.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(_TRIM_THRESHOLD, KEPT_BYTES)
    mallopt(_MMAP_THRESHOLD, KEPT_BYTES)
