"""All channels of a recording at another rate, as a stream."""

from math import ceil
from typing import Final

import numpy as np
import soxr

from harken.audio import errors
from harken.audio.blocks import Floats
from harken.audio.errors import InputError
from harken.audio.mono import LEAST_RATE

QUALITY: Final = (
    "VHQ"  # for listening and for further work: passes 20 kHz at 44.1 kHz, aliases below 24 bits
)


class Resampler:
    """By soxr; the whole has ceil(n · to / from) samples. Raises InputError for rates of some Hz."""

    def __init__(self, from_rate: int, to_rate: int, channels: int) -> None:
        self._from, self._to = from_rate, to_rate
        self._taken = self._given = 0
        self._stream = None
        if from_rate == to_rate:
            return
        if from_rate < LEAST_RATE:
            raise InputError(
                errors.RATE_TOO_LOW,
                f"The file has {from_rate} samples a second; from fewer than {LEAST_RATE} no other rate can be made.",
            )
        self._stream = soxr.ResampleStream(
            from_rate, to_rate, channels, dtype="float32", quality=QUALITY
        )

    def push(self, samples: Floats, *, last: bool = False) -> Floats:
        """What `samples`, (channels, n), make ready."""
        if self._stream is None:
            return samples
        self._taken += samples.shape[1]
        ready = self._stream.resample_chunk(np.ascontiguousarray(samples.T), last=last).T
        if last:
            due = ceil(self._taken * self._to / self._from) - self._given
            ready = np.pad(ready[:, :due], ((0, 0), (0, max(due - ready.shape[1], 0))))
        self._given += ready.shape[1]
        return ready
