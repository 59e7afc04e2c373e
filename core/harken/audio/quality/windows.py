"""Samples regrouped into windows of one length, so that a result does not depend on how blocks were cut."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from harken.audio.blocks import Floats

WINDOW_S: Final = 0.4
LEAST_SAMPLES: Final = 1024  # of a window: at low rates a call costs more than what it does


class Windows:
    """Hands out what is added in windows of 400 ms, the last one shorter."""

    def __init__(self, sample_rate: int, channels: int) -> None:
        self.length = max(round(WINDOW_S * sample_rate), LEAST_SAMPLES)
        self._held: Floats = np.empty((channels, self.length), dtype=np.float32)
        self._count = 0

    def add(self, samples: Floats) -> Iterator[Floats]:
        """The windows that `samples` of shape (channels, n) complete; each is valid until the next."""
        start, total = 0, samples.shape[1]
        while start < total:
            if self._count == 0 and total - start >= self.length:
                yield samples[:, start : start + self.length]
                start += self.length
                continue
            taken = min(self.length - self._count, total - start)
            self._held[:, self._count : self._count + taken] = samples[:, start : start + taken]
            self._count, start = self._count + taken, start + taken
            if self._count == self.length:
                self._count = 0
                yield self._held

    def rest(self) -> Floats:
        """What is left."""
        return self._held[:, : self._count]
