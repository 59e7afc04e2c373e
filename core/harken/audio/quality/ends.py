"""Silence before the first and after the last sample beyond a threshold."""

from typing import Final

from harken.audio.blocks import Floats
from harken.audio.kernel import kernel

THRESHOLD_DBFS: Final = -60.0
THRESHOLD: Final = 10.0 ** (THRESHOLD_DBFS / 20.0)


class Ends:
    """Finds where sound begins and ends in any of the channels."""

    def __init__(self) -> None:
        self._first: int | None = None
        self._end = 0
        self._heard = 0

    def add(self, samples: Floats) -> None:
        """Take in consecutive samples, (channels, n)."""
        last = _last_loud(samples, THRESHOLD)
        if last >= 0:
            if self._first is None:
                self._first = self._heard + _first_loud(samples, THRESHOLD)
            self._end = self._heard + last + 1
        self._heard += samples.shape[1]

    @property
    def silent(self) -> bool:
        """Whether nothing was beyond the threshold."""
        return self._first is None

    @property
    def before(self) -> int:
        """Samples before the sound; all of them in silence."""
        return self._heard if self._first is None else self._first

    @property
    def after(self) -> int:
        """Samples after the sound; all of them in silence."""
        return self._heard - self._end


@kernel
def _first_loud(samples: Floats, threshold: float) -> int:
    for at in range(samples.shape[1]):
        for channel in range(samples.shape[0]):
            if abs(samples[channel, at]) > threshold:
                return at
    return -1


@kernel
def _last_loud(samples: Floats, threshold: float) -> int:
    for at in range(samples.shape[1] - 1, -1, -1):
        for channel in range(samples.shape[0]):
            if abs(samples[channel, at]) > threshold:
                return at
    return -1
