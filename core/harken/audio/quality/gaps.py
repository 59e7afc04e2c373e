"""Drop-outs: exact zeros that begin and end suddenly within sound of one level.

Silence that was composed dies away before, cuts of an editor lie at zero crossings, and after a rest
the level is another; a lost packet cares for none of these.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from harken.audio.blocks import Doubles, Floats
from harken.audio.kernel import kernel

SHORTEST_S: Final = 0.001
LONGEST_S: Final = 0.5
AROUND_S: Final = 0.005  # on either side over which the level is taken
LEAST_RMS: Final = 10.0 ** (-50.0 / 20.0)  # of either side
MOST_APART: Final = 10.0 ** (12.0 / 10.0)  # of the two sides' powers
LEAST_EDGE: Final = 0.1  # of the level: what the sound has to jump by
EDGE_STEPS: Final = 4.0  # of rounding, which makes zeros of its own around a zero crossing
MOST_STRETCHES: Final = 100

_SOUND, _ZEROS, _AFTER = range(3)
# Of the whole numbers: what is heard, first zero, zeros, samples since, drop-outs.
_MODE, _START, _RUN, _SINCE, _FOUND = range(5)
# Of the others: power before, last sample before, first after, squares since.
_POWER, _LEFT, _RIGHT, _SQUARES = range(4)


class Gaps:
    """Follows one channel."""

    def __init__(self, sample_rate: int) -> None:
        self._around = max(round(AROUND_S * sample_rate), 8)
        self._shortest = max(round(SHORTEST_S * sample_rate), 8)
        self._longest = round(LONGEST_S * sample_rate)
        self._whole: NDArray[np.int64] = np.zeros(5, dtype=np.int64)
        self._real: Doubles = np.zeros(4)
        self._kept: NDArray[np.int64] = np.zeros((MOST_STRETCHES, 2), dtype=np.int64)
        self._tail: Floats = np.zeros(self._around, dtype=np.float32)
        self._heard = 0

    def add(self, samples: Floats, zeros: int, step: float) -> None:
        """Take in consecutive samples, `zeros` of which are exactly 0, rounded to `step`.

        Fewer zeros than the shortest drop-out has are none, but for those that may go on in the next samples.
        """
        if zeros >= self._shortest or samples[-1] == 0.0 or self._whole[_MODE] != _SOUND:
            _follow(
                *(np.concatenate((self._tail, samples)), self._heard, self._around),
                *(self._shortest, self._longest, EDGE_STEPS * step),
                *(self._whole, self._real, self._kept),
            )
        kept = samples[-self._around :]
        self._tail = np.concatenate((self._tail, kept))[-self._around :]
        self._heard += samples.shape[0]

    @property
    def count(self) -> int:
        """How many drop-outs there were."""
        return int(self._whole[_FOUND])

    @property
    def stretches(self) -> list[tuple[int, int]]:
        """First sample and length of the first drop-outs."""
        return [(int(start), int(length)) for start, length in self._kept[: self.count]]


@kernel
def _follow(
    samples: Floats,
    heard: int,
    around: int,
    shortest: int,
    longest: int,
    least_edge: float,
    whole: NDArray[np.int64],
    real: Doubles,
    kept: NDArray[np.int64],
) -> None:
    """`samples` begins with the `around` ones before those that are new."""
    for i in range(around, samples.shape[0]):
        value = samples[i]
        if whole[_MODE] == _SOUND:
            if value != 0.0:
                continue
            whole[_MODE], whole[_START], whole[_RUN] = _ZEROS, heard + i - around, 1
        elif whole[_MODE] == _ZEROS:
            if value == 0.0:
                whole[_RUN] += 1
                if whole[_RUN] == shortest:
                    # Looked at once it matters: most runs are a sample long.
                    first = whole[_START] - heard + around
                    squares, counted = 0.0, 0
                    for before in range(max(first - around, 0), max(first, 0)):
                        squares += float(samples[before]) ** 2
                        counted += 1
                    real[_POWER] = squares / max(counted, 1)
                    real[_LEFT] = abs(samples[first - 1]) if first > 0 else 0.0
                continue
            if whole[_RUN] < shortest or whole[_RUN] > longest:
                whole[_MODE] = _SOUND
                continue
            whole[_MODE], whole[_SINCE] = _AFTER, 1
            real[_RIGHT], real[_SQUARES] = abs(value), float(value) ** 2
        else:
            whole[_SINCE] += 1
            real[_SQUARES] += float(value) ** 2
            if whole[_SINCE] < around:
                continue
            power, after = real[_POWER], real[_SQUARES] / around
            softer, louder = min(power, after), max(power, after)
            edge = min(real[_LEFT], real[_RIGHT])
            if (
                softer >= LEAST_RMS * LEAST_RMS
                and louder <= MOST_APART * softer
                and edge >= LEAST_EDGE * np.sqrt(softer)
                and edge >= least_edge
            ):
                if whole[_FOUND] < kept.shape[0]:
                    kept[whole[_FOUND], 0] = whole[_START]
                    kept[whole[_FOUND], 1] = whole[_RUN]
                whole[_FOUND] += 1
            whole[_MODE] = _SOUND
