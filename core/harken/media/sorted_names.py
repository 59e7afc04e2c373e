"""The names of large folders in order, kept for the next page: to sort them anew for each page takes longer than it.

What is kept of a folder holds for as long as the folder says that it has not changed.
"""

import os
import threading
import time
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Final

LARGE: Final = 1_000  # names from which on a folder is worth keeping
MOST_NAMES: Final = 200_000  # of all folders together, some 20 MB
SETTLED_NS: Final = 2_000_000_000  # as coarse as the times of any file system are

Names = Sequence[tuple[str, bool]]
"""Names in order, with whether each is a folder itself."""


class SortedNames:
    """Those of the folders that were listed last, for all threads of a process."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, ...], Names] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, folder: int) -> tuple[int, ...]:
        """What tells an open folder as it is now from another one, and from itself after a change."""
        found = os.fstat(folder)
        return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_ctime_ns

    def known(self, state: tuple[int, ...]) -> Names | None:
        """The names of a folder in that state, where they are kept."""
        with self._lock:
            if state in self._kept:
                self._kept.move_to_end(state)
            return self._kept.get(state)

    def keep(self, state: tuple[int, ...], names: Names) -> None:
        """Keeps names that were read of a folder in that state, unless a change may have borne the same time."""
        settled = time.time_ns() - max(state[2:]) >= SETTLED_NS
        if not settled or not LARGE <= len(names) <= MOST_NAMES:
            return
        with self._lock:
            self._kept[state] = names
            while sum(map(len, self._kept.values())) > MOST_NAMES:
                self._kept.popitem(last=False)


def from_name(names: Names, first: str) -> Iterator[tuple[str, bool]]:
    """The names from one on."""
    for place in range(bisect_left(names, (first,)), len(names)):
        yield names[place]
