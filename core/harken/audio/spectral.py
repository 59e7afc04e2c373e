"""Shape of the spectrum, a number or seven a frame; librosa's defaults are the reference.

Centroid, bandwidth and 85 % rolloff in Hz from magnitudes, flatness from power (1 is noise, 0 a
tone), contrast in dB, zero crossings a sample. Silent frames count as librosa counts them; of a
recording that is all silence only the zero-crossing rate exists.
"""

from typing import Final

import numpy as np

from harken.audio.analysis import Analysis, Hears
from harken.audio.blocks import FRAME, HOP, Doubles, Floats, SpectrumBlock
from harken.audio.contrast import BANDS, RANGE_DB, peaks_and_valleys_db
from harken.audio.moments import Moments
from harken.audio.result import Spectral
from harken.audio.spectrum import FREQUENCIES_HZ
from harken.audio.spool import FrameSpool

ROLLOFF: Final = 0.85  # share of the magnitude below the rolloff frequency
FLOOR_POWER: Final = 1e-10
ZERO: Final = 1e-10  # amplitudes up to this have no sign
_MOMENTS: Final[Doubles] = np.stack(
    [np.ones_like(FREQUENCIES_HZ), FREQUENCIES_HZ, FREQUENCIES_HZ**2], axis=1
)


class SpectralShape(Analysis):
    """Means and spreads over all frames."""

    hears = Hears.SPECTRUM

    def __init__(self) -> None:
        self._shape = Moments()
        self._extremes = self.until_closed(FrameSpool(2 * BANDS))
        self._highest_db = np.full(2, -np.inf)  # of all peaks, of all valleys
        self._silent = True

    def on_spectrum(self, block: SpectrumBlock) -> None:
        """Take in the next frames."""
        self._silent = self._silent and not block.power.any()
        columns = (
            *centroid_and_bandwidth_hz(block.magnitude),
            rolloff_hz(block.magnitude),
            flatness(block.power),
            zero_crossing_rate(block.signal, block.lead, block.tail),
        )
        self._shape.add(np.stack(columns, axis=1))
        extremes = peaks_and_valleys_db(block.magnitude)
        highest = [extremes[:, :BANDS].max(), extremes[:, BANDS:].max()]
        self._highest_db = np.maximum(self._highest_db, highest)
        self._extremes.add(extremes)

    def finish(self) -> Spectral:
        """The group; in silence a spectrum has no shape."""
        mean, std = self._shape.mean, self._shape.std
        if self._silent:
            return Spectral(zero_crossing_rate_mean=mean[4], zero_crossing_rate_std=std[4])
        contrast = self._contrast()
        return Spectral(
            centroid_hz_mean=mean[0],
            centroid_hz_std=std[0],
            bandwidth_hz_mean=mean[1],
            bandwidth_hz_std=std[1],
            rolloff_hz_mean=mean[2],
            rolloff_hz_std=std[2],
            flatness_mean=mean[3],
            flatness_std=std[3],
            contrast_mean=contrast.mean,
            contrast_std=contrast.std,
            zero_crossing_rate_mean=mean[4],
            zero_crossing_rate_std=std[4],
        )

    def _contrast(self) -> Moments:
        contrast = Moments()
        least = (self._highest_db - RANGE_DB).astype(np.float32)
        for extremes in self._extremes.blocks():
            peaks = np.maximum(extremes[:, :BANDS], least[0])
            contrast.add(peaks - np.maximum(extremes[:, BANDS:], least[1]))
        return contrast


def centroid_and_bandwidth_hz(magnitude: Floats) -> tuple[Doubles, Doubles]:
    """Mean frequency and spread of each frame, (frames, bins) to two of (frames,); 0 in silence."""
    # In float64: a pure tone's spread is a small difference of large numbers.
    total, first, second = (magnitude.astype(np.float64) @ _MOMENTS).T
    total = np.where(total > np.finfo(np.float32).tiny, total, np.inf)
    centroid = first / total
    return centroid, np.sqrt(np.maximum(second / total - centroid**2, 0.0))


def rolloff_hz(magnitude: Floats) -> Doubles:
    """The frequency below which 85 % of each frame's magnitude lies; 0 in silence."""
    below = np.cumsum(magnitude, axis=1)
    reached = below >= np.float32(ROLLOFF) * below[:, -1:]
    return FREQUENCIES_HZ[np.argmax(reached, axis=1)]


def flatness(power: Floats) -> Doubles:
    """Geometric over arithmetic mean of each frame's power: 1 in silence, as librosa has it."""
    floored = np.maximum(power, np.float32(FLOOR_POWER))
    geometric = np.exp(np.log(floored).mean(axis=1, dtype=np.float64))
    return geometric / floored.mean(axis=1, dtype=np.float64)


def zero_crossing_rate(signal: Floats, lead: int, tail: int) -> Doubles:
    """Share of samples in each frame whose sign differs from the one before.

    `signal` holds the frames' samples, its first `lead` and last `tail` lying outside the
    recording; those repeat the sign at its edge, so that the edge itself is no crossing.
    """
    negative = signal < -ZERO
    negative[:lead] = negative[lead]
    inside = negative.shape[0] - tail
    negative[inside:] = negative[inside - 1]
    crossed = np.concatenate([[0], np.cumsum(negative[1:] != negative[:-1])])
    starts = np.arange(0, signal.shape[0] - FRAME + 1, HOP)
    # A frame's first sample has no predecessor within the frame.
    return (crossed[starts + FRAME - 1] - crossed[starts]) / FRAME
