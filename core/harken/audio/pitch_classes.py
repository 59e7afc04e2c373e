"""Which pitches sound: the spectrum's lasting peaks, folded into one octave.

After Gómez (2006), "Tonal description of music audio signals" (HPCP): only spectral peaks count,
each with its interpolated frequency. A peak here must also stand clear of its surroundings and
last: noise and drums have peaks everywhere, but rarely twice in the same place.
"""

from typing import Final

import numpy as np
import scipy.ndimage

from harken.audio.blocks import FRAME, HOP, SAMPLE_RATE, Doubles, Floats

LOWEST_HZ: Final = 40.0
HIGHEST_HZ: Final = 2000.0  # above, partials say more than fundamentals
C_HZ: Final = 440.0 * 2.0 ** (-9 / 12)
STEPS: Final = 120  # pitch classes in tenths of a semitone, C first
APART: Final = FRAME // HOP  # frames after which windows no longer overlap
CLEAR: Final = 2.5  # a peak stands this many times (8 dB) above the mean around it
AROUND: Final = 31  # bins of that surrounding, 330 Hz
# A peak may be the second, third, … partial of a lower note, and speaks for that note too.
PARTIALS: Final = 4
PARTIAL_DECAY: Final = 0.6
_FIRST: Final = int(np.ceil(LOWEST_HZ * FRAME / SAMPLE_RATE))
_END: Final = int(HIGHEST_HZ * FRAME / SAMPLE_RATE)


class PitchHistogram:
    """Sums the lasting peaks of all frames by pitch class."""

    def __init__(self) -> None:
        self.steps: Doubles = np.zeros(STEPS)
        self._phasor = 0.0 + 0.0j  # of the deviations from the semitones
        self._peak_weight = 0.0
        self._weight = 0.0
        self._earlier = np.zeros((APART, _END - _FIRST), dtype=bool)

    def add(self, magnitude: Floats) -> None:
        """Take in the next frames, shape (frames, bins)."""
        band = magnitude[:, _FIRST:_END]
        sides = magnitude[:, _FIRST - 1 : _END - 1], magnitude[:, _FIRST + 1 : _END + 1]
        around = scipy.ndimage.uniform_filter1d(band, AROUND, axis=1)
        peaks = (band > sides[0]) & (band >= sides[1]) & (band > np.float32(CLEAR) * around)
        history = np.concatenate([self._earlier, peaks])
        near = history.copy()
        near[:, 1:] |= history[:, :-1]
        near[:, :-1] |= history[:, 1:]
        lasting = peaks & near[: peaks.shape[0]]
        self._earlier = history[-APART:]
        frames, bins = np.nonzero(lasting)
        loudest = band.max(axis=1)
        self._weight += float(np.sqrt(loudest, dtype=np.float64).sum())
        frames, bins = np.nonzero(lasting)
        if frames.shape[0] == 0:
            return
        left, top, right = sides[0][frames, bins], band[frames, bins], sides[1][frames, bins]
        strongest = np.zeros(band.shape[0], dtype=np.float32)
        np.maximum.at(strongest, frames, top)
        shares = strongest[strongest > 0] / loudest[strongest > 0]
        self._peak_weight += float((shares * np.sqrt(loudest[strongest > 0])).sum())
        # Every frame speaks with the same voice, its strongest peak being 1.
        weights = (top / strongest[frames]).astype(np.float64)
        semitones = _semitones_above_c(bins, left, top, right)
        self._phasor += complex((weights * np.exp(2j * np.pi * semitones)).sum())
        for partial in range(1, PARTIALS + 1):
            fundamental = semitones - 12.0 * np.log2(partial)
            steps = np.rint(fundamental * (STEPS / 12)).astype(np.int64) % STEPS
            spoken = weights * PARTIAL_DECAY ** (partial - 1)
            self.steps += np.bincount(steps, spoken, minlength=STEPS)

    @property
    def pitchedness(self) -> float:
        """How much of the sound's strength goes with a lasting peak, 0 to 1."""
        return self._peak_weight / self._weight if self._weight > 0 else 0.0

    @property
    def tuning_cents(self) -> float | None:
        """How far the peaks lie from the semitones of A4 = 440 Hz, -50 to 50; None without any."""
        if self._phasor == 0:
            return None
        return float(np.angle(self._phasor)) * 100.0 / (2 * np.pi)

    def classes(self) -> Doubles:
        """The 12 pitch classes, C first, at the recording's own tuning."""
        cents = np.arange(STEPS) * (1200 / STEPS) - (self.tuning_cents or 0.0)
        distance = (cents[:, None] - 100.0 * np.arange(12)[None, :] + 600.0) % 1200.0 - 600.0
        weights = np.where(np.abs(distance) < 50.0, np.cos(np.pi * distance / 100.0) ** 2, 0.0)
        return self.steps @ weights


def _semitones_above_c(bins: np.ndarray, left: Floats, top: Floats, right: Floats) -> Doubles:
    """Pitch of peaks in semitones above C4, by a parabola through the log magnitudes."""
    tiny = np.finfo(np.float32).tiny
    below, at, above = (
        np.log(np.maximum(part, tiny), dtype=np.float64) for part in (left, top, right)
    )
    curve = below - 2 * at + above
    offset = np.where(curve < 0, 0.5 * (below - above) / np.where(curve < 0, curve, -1.0), 0.0)
    frequency = (bins + _FIRST + np.clip(offset, -0.5, 0.5)) * (SAMPLE_RATE / FRAME)
    return 12.0 * np.log2(frequency / C_HZ)
