"""True peak: the largest value of the signal between its samples (ITU-R BS.1770-4, annex 2).

The signal is oversampled by 4 below 96 kHz and by 2 below 192 kHz, by a Kaiser-windowed sinc:
12 taps a phase as the standard's own, but within 0.04 dB up to 0.4 of the sample rate, where that
ripples by some tenths of a decibel.
"""

from functools import cache
from typing import Final

import numpy as np

from harken.audio.blocks import Floats
from harken.audio.kernel import kernel
from harken.audio.levels import largest_magnitude

TAPS: Final = 12  # samples that one value between them depends on
KAISER_BETA: Final = 5.0  # ripple and transition width for that many
CHUNK: Final = 512  # samples looked at together: they and the values between them stay in the cache


def oversampling(sample_rate: int) -> int:
    """How many values to look at for each sample."""
    return 4 if sample_rate < 96_000 else 2 if sample_rate < 192_000 else 1


@cache
def interpolators(factor: int) -> Floats:
    """A filter for each of the `factor - 1` places between two samples, shape (factor - 1, TAPS)."""
    between = np.arange(1, factor)[:, None] / factor
    distance = np.arange(TAPS)[None, :] - (TAPS // 2 - 1) - between
    window = np.i0(KAISER_BETA * np.sqrt(1.0 - (distance / (TAPS // 2)) ** 2))
    filters = np.sinc(distance) * window / np.i0(KAISER_BETA)
    # A constant must come out as it is.
    return (filters / filters.sum(axis=1, keepdims=True)).astype(np.float32)


class TruePeakMeter:
    """The peak over all channels of a signal that arrives in blocks."""

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._peak = 0.0
        self._filters = interpolators(oversampling(sample_rate))
        # No value between samples is larger than their largest, times the sum of the weights.
        self._most = float(np.abs(self._filters).sum(axis=1).max(initial=0.0))
        self._last = np.zeros((channels, TAPS - 1), dtype=np.float32)

    def add(self, samples: Floats) -> None:
        """Take in the next samples, shape (channels, n)."""
        self._peak = _peak_of_all(samples, self._last, self._filters, self._most, self._peak)

    def finish(self) -> float:
        """The linear peak, the ringing after the last sample included."""
        self.add(np.zeros_like(self._last))
        return self._peak


@kernel
def _peak_of_all(samples: Floats, last: Floats, filters: Floats, most: float, peak: float) -> float:
    """The largest value of all channels if it is more than `peak`.

    `last`, the TAPS - 1 samples before these, is brought up to date.
    """
    count = samples.shape[1]
    seam = np.zeros(2 * (TAPS - 1), dtype=np.float32)
    for channel in range(samples.shape[0]):
        new, old = samples[channel], last[channel]
        seam[: TAPS - 1] = old
        begin = new[: TAPS - 1]
        seam[TAPS - 1 : TAPS - 1 + begin.shape[0]] = begin
        peak = _peak_between(seam[: TAPS - 1 + begin.shape[0]], filters, most, peak)
        peak = _peak_between(new, filters, most, peak)
        for at in range(TAPS - 1):
            place = count - (TAPS - 1) + at
            old[at] = new[place] if place >= 0 else old[at + count]
    return peak


@kernel
def _peak_between(samples: Floats, filters: Floats, most: float, peak: float) -> float:
    """The largest value on and between `samples`, shape (n,), if it is more than `peak`."""
    taps = filters.shape[1]
    values = np.empty(CHUNK, dtype=np.float32)
    for start in range(0, samples.shape[0] - taps + 1, CHUNK):
        count = min(CHUNK, samples.shape[0] - taps + 1 - start)
        part = samples[start : start + count + taps - 1]
        largest = largest_magnitude(part)
        peak = max(peak, largest)
        if largest * most <= peak:
            continue
        for phase in range(filters.shape[0]):
            between = values[:count]
            between[:] = 0.0
            for tap in range(0, taps, 4):
                a, b = filters[phase, tap], filters[phase, tap + 1]
                c, d = filters[phase, tap + 2], filters[phase, tap + 3]
                one, two = part[tap : tap + count], part[tap + 1 : tap + 1 + count]
                three, four = part[tap + 2 : tap + 2 + count], part[tap + 3 : tap + 3 + count]
                for at in range(count):
                    between[at] += a * one[at] + b * two[at] + c * three[at] + d * four[at]
            peak = max(peak, largest_magnitude(between))
    return peak
