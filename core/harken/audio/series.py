"""Values that come in parts, as one array: in place, for a list of parts and their sum would be two copies."""

from typing import Final

import numpy as np

from harken.audio.blocks import Floats

FIRST_ROOM: Final = 4096  # values
GROWTH: Final = 1.5  # what is not filled yet takes addresses, not memory


class Series:
    """Gathers single-precision values; most of its room is moved by the kernel's page tables rather than copied."""

    def __init__(self) -> None:
        self._values: Floats = np.empty(FIRST_ROOM, dtype=np.float32)
        self._count = 0

    def extend(self, values: Floats) -> None:
        """Take in the next values, shape (n,)."""
        count = self._count + values.shape[0]
        if count > self._values.shape[0]:
            # Nobody has a view of it before it is given away.
            self._values.resize(max(int(self._values.shape[0] * GROWTH), count), refcheck=False)
        self._values[self._count : count] = values
        self._count = count

    def finish(self) -> Floats:
        """All values, shape (n,). To be called once: they are given away with it."""
        values, self._values = self._values, np.empty(0, dtype=np.float32)
        values.resize(self._count, refcheck=False)
        self._count = 0
        return values
