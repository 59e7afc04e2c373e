"""How the loudest sound begins and dies away, from the peaks of each millisecond.

After Peeters et al. (2011), "The Timbre Toolbox: extracting audio descriptors from musical signals":
attack, temporal centroid and effective duration (above 40 % of the maximum). The attack is the rise
from 10 % to 90 % of the maximum, the decay the fall from the maximum by 20 dB for good.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from harken.audio.analysis import Analysis, Hears
from harken.audio.blocks import Floats, SoundBlock
from harken.audio.result import Envelope

STEP_S: Final = 0.001
# Steps that are kept: a minute of them. A longer recording has coarser ones, so that memory stays flat.
MOST_STEPS: Final = 1 << 16
# A wave's halves have peaks as far apart at 50 Hz; a level holds so long, for what rises before, for what falls after.
HOLD_S: Final = 0.010
RISE_FROM: Final = 0.1
RISE_TO: Final = 0.9
FALLEN_TO: Final = 0.1  # −20 dB
EFFECTIVE: Final = 0.4
# Of the maximum, in dBFS; half a step of 16 bits is at −96.
SILENCE: Final = 10.0 ** (-96.0 / 20.0)


class LoudestSound(Analysis):
    """Keeps the largest magnitude of each step over all channels."""

    hears = Hears.SOUND

    def __init__(self) -> None:
        self._steps = np.zeros(MOST_STEPS, dtype=np.float32)
        self._count = 0
        self._length = 0  # samples a step
        self._rate = 0
        self._rest = np.zeros(0, dtype=np.float32)

    def on_sound(self, block: SoundBlock) -> None:
        """Take in the next samples."""
        if self._length == 0:
            self._rate = block.sample_rate
            self._length = max(round(STEP_S * block.sample_rate), 1)
        largest = np.abs(block.samples).max(axis=0)
        samples = np.concatenate((self._rest, largest)) if self._rest.shape[0] else largest
        start = 0
        while (whole := (samples.shape[0] - start) // self._length) > 0:
            taken = min(whole, MOST_STEPS - self._count)
            end = start + taken * self._length
            peaks = samples[start:end].reshape(taken, self._length).max(axis=1)
            self._steps[self._count : self._count + taken] = peaks
            self._count, start = self._count + taken, end
            if self._count == MOST_STEPS:
                self._halve()
        self._rest = samples[start:]

    def finish(self) -> Envelope:
        """The group."""
        whole = self._count
        if self._rest.shape[0]:
            self._steps[self._count] = self._rest.max()  # never full: it is halved at once then
            self._count += 1
        if self._count == 0:
            return Envelope()
        step_s = self._length / self._rate
        length_s = (whole * self._length + self._rest.shape[0]) / self._rate
        return envelope(self._steps[: self._count], step_s, length_s)

    def _halve(self) -> None:
        """Two steps become one."""
        self._count = MOST_STEPS // 2
        self._steps[: self._count] = self._steps.reshape(-1, 2).max(axis=1)
        self._length *= 2


def envelope(peaks: Floats, step_s: float, length_s: float) -> Envelope:
    """The group of a recording with these peaks, one in each step of `step_s` seconds."""
    highest = float(peaks.max())
    if highest < SILENCE:
        return Envelope()
    level = peaks / highest
    hold = max(round(HOLD_S / step_s), 1)
    rising, falling = _held(level, hold), _held(level[::-1], hold)[::-1]
    peak = int(level.argmax())
    # Both: gaps between the peaks of a wave are closed, and neither end is drawn out.
    loud = np.minimum(rising, falling) > EFFECTIVE
    times = np.minimum((np.arange(level.shape[0]) + 0.5) * step_s, length_s)
    return Envelope(
        attack_s=_attack(rising[: peak + 1]) * step_s,
        peak_s=float(times[peak]),
        decay_s=_decay(falling[peak:], step_s),
        temporal_centroid_s=float(np.average(times, weights=level)),
        effective_duration_s=min(float(np.count_nonzero(loud)) * step_s, length_s),
    )


def _attack(rising: Floats) -> float:
    """Steps from the last time below 10 % to the first at 90 %, at the end of which the level is 1."""
    below = np.flatnonzero(rising < RISE_FROM)
    start = int(below[-1]) if below.shape[0] else -1
    end = start + 1 + int(np.argmax(rising[start + 1 :] >= RISE_TO))
    begun = _crossing(rising, start, RISE_FROM) if start >= 0 else 0.0
    return max(_crossing(rising, end - 1, RISE_TO) - begun, 0.0) if end > 0 else 0.0


def _crossing(rising: Floats, before: int, level: float) -> float:
    """Where between a step below the level and the next one the level lies on a straight line."""
    low, high = float(rising[before]), float(rising[before + 1])
    return before + (level - low) / (high - low)


def _decay(falling: Floats, step_s: float) -> float | None:
    above = np.flatnonzero(falling >= FALLEN_TO)
    last = int(above[-1])
    return last * step_s if last + 1 < falling.shape[0] else None


def _held(level: Floats, steps: int) -> NDArray[np.float32]:
    """The largest of each step and those up to `steps` − 1 before it."""
    padded = np.concatenate((np.zeros(steps - 1, dtype=np.float32), level))
    return np.lib.stride_tricks.sliding_window_view(padded, steps).max(axis=1)
