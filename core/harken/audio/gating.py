"""From energies every 10 ms to loudness: the windows and gates of EBU R128.

ITU-R BS.1770-4 (integrated loudness), EBU Tech 3341 (momentary and short-term maxima) and
EBU Tech 3342 (loudness range). Energies are weighted mean squares summed over the channels.
"""

from typing import Final

import numpy as np

from harken.audio.blocks import Doubles, Floats

STEPS_A_SECOND: Final = 100
MOMENTARY_STEPS: Final = 40  # 400 ms
SHORT_TERM_STEPS: Final = 300  # 3 s
STEPS_AT_ONCE: Final = 1000  # 10 s: each look at a few energies would cost as much as at many
GATE_HOP_STEPS: Final = 10  # gating blocks begin every 100 ms
OFFSET_LUFS: Final = -0.691  # makes a 997 Hz full-scale sine in one channel -3.01 LUFS
ABSOLUTE_GATE_LUFS: Final = -70.0
RELATIVE_GATE_LU: Final = 10.0
RANGE_GATE_LU: Final = 20.0
RANGE_PERCENTILES: Final = (10, 95)


class Gating:
    """Hears the energies as they come; the figures are None where the gates leave nothing."""

    def __init__(self) -> None:
        self._momentary = SlidingMean(MOMENTARY_STEPS)
        self._short_term = SlidingMean(SHORT_TERM_STEPS)
        self._waiting: list[Doubles] = []
        self._steps_waiting = 0

    def add(self, energies: Doubles) -> None:
        """Take in the next energies, one every 10 ms, shape (steps,)."""
        self._waiting.append(energies)
        self._steps_waiting += energies.shape[0]
        if self._steps_waiting >= STEPS_AT_ONCE:
            self.end()

    def end(self) -> None:
        """Look at what has waited; to be called once after the last `add`."""
        if self._waiting:
            energies = np.concatenate(self._waiting)
            self._momentary.add(energies)
            self._short_term.add(energies)
            self._waiting, self._steps_waiting = [], 0

    def integrated_lufs(self) -> float | None:
        """Loudness of the whole: blocks above -70 LUFS and at most 10 LU below the others."""
        blocks = self._momentary.kept()
        audible = blocks[lufs(blocks) > ABSOLUTE_GATE_LUFS]
        if audible.shape[0] == 0:
            return None
        gate = float(lufs(audible.mean())) - RELATIVE_GATE_LU
        return float(lufs(audible[lufs(audible) > gate].mean()))

    def range_lu(self) -> float | None:
        """From the 10th to the 95th percentile of the short-term loudness above its gates."""
        blocks = self._short_term.kept()
        levels = lufs(blocks)
        audible = levels > ABSOLUTE_GATE_LUFS
        if not audible.any():
            return None
        gate = float(lufs(blocks[audible].mean())) - RANGE_GATE_LU
        ranked = np.sort(levels[audible & (levels > gate)])
        # Between two of them in proportion, as by `np.percentile`, which takes ten times as long for a few.
        places = np.array(RANGE_PERCENTILES) / 100 * (ranked.shape[0] - 1)
        low, high = np.interp(places, np.arange(ranked.shape[0]), ranked)
        return float(high - low)

    def momentary_max_lufs(self) -> float | None:
        """The loudest 400 ms, looked for every 10 ms."""
        return _audible(self._momentary.largest)

    def short_term_max_lufs(self) -> float | None:
        """The loudest 3 s, looked for every 10 ms."""
        return _audible(self._short_term.largest)


class SlidingMean:
    """Means over a window that moves by 10 ms: the largest of all, and every tenth kept."""

    def __init__(self, steps: int) -> None:
        self.largest = 0.0
        self._steps = steps
        self._recent: Doubles = np.zeros(0)
        self._means = 0  # how many there have been
        self._kept: list[Floats] = []  # float32: half a megabyte an hour for both windows

    def add(self, energies: Doubles) -> None:
        """Take in the next energies."""
        self._recent = np.concatenate([self._recent, energies])
        count = self._recent.shape[0] - self._steps + 1
        if count < 1:
            return
        sums = np.concatenate([[0.0], np.cumsum(self._recent)])
        # Rounding in the running sum must not turn silence after loud sound into less than none.
        means = np.maximum((sums[self._steps :] - sums[: -self._steps]) / self._steps, 0.0)
        self.largest = max(self.largest, float(means.max()))
        self._kept.append(means[-self._means % GATE_HOP_STEPS :: GATE_HOP_STEPS].astype(np.float32))
        self._means += count
        self._recent = self._recent[count:]

    def taken(self) -> Doubles:
        """The means at every 100 ms that were not taken yet, which are not kept any more."""
        means, self._kept = self.kept(), []
        return means

    def kept(self) -> Doubles:
        """The mean at every 100 ms."""
        return np.concatenate([*self._kept, np.zeros(0, dtype=np.float32)]).astype(np.float64)


def lufs(energy: float | Doubles) -> Doubles:
    """Loudness of a weighted mean square; minus infinity for none."""
    with np.errstate(divide="ignore"):
        return OFFSET_LUFS + 10.0 * np.log10(np.asarray(energy, dtype=np.float64))


def _audible(energy: float) -> float | None:
    loudest = float(lufs(energy))
    return loudest if loudest > ABSOLUTE_GATE_LUFS else None
