"""What every way to take sound apart is: samples in, the same samples and their stems out, some time later."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from harken.audio.blocks import Floats


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Consecutive samples of the whole, and of every stem but the last, which is what those leave of it.

    So the stems sum to the whole, whatever a separator does.
    """

    whole: Floats  # (channels, n)
    stems: Floats  # (stems - 1, channels, n)


class Separator(ABC):
    """One recording's; `push` all of it, then `finish`."""

    names: tuple[str, ...]  # of the stems, the last one's too

    @abstractmethod
    def push(self, samples: Floats) -> Parts:
        """What the next samples, (channels, n), complete; that may be nothing."""

    @abstractmethod
    def finish(self) -> Parts:
        """The rest."""


class DelayLine:
    """Samples that wait until something is known of them."""

    def __init__(self, channels: int) -> None:
        self._waiting: Floats = np.zeros((channels, 0), dtype=np.float32)

    @property
    def length(self) -> int:
        """How many wait."""
        return self._waiting.shape[1]

    def push(self, samples: Floats) -> None:
        """Append samples, (channels, n)."""
        self._waiting = np.concatenate([self._waiting, samples], axis=1)

    def pop(self, count: int) -> Floats:
        """Take the first `count`."""
        taken, self._waiting = self._waiting[:, :count], self._waiting[:, count:]
        return taken
