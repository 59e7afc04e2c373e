"""Shape of the spectrum, a number or seven a frame; librosa's defaults are the reference.

Centroid, bandwidth and 85 % rolloff in Hz from magnitudes, flatness from power (1 is noise, 0 a
tone), contrast in dB, zero crossings a sample. Silent frames count as librosa counts them; of a
recording that is all silence only the zero-crossing rate exists.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from harken.audio.analysis import Analysis, Hears
from harken.audio.blocks import FRAME, FRAME_RATE, HOP, Doubles, Floats, SpectrumBlock
from harken.audio.contrast import BANDS, RANGE_DB, peaks_and_valleys_db
from harken.audio.kernel import kernel
from harken.audio.moments import Moments
from harken.audio.result import Spectral
from harken.audio.spectrum import FREQUENCIES_HZ
from harken.audio.spool import FrameSpool

ROLLOFF: Final = np.float32(0.85)  # share of the magnitude below the rolloff frequency
FLOOR_POWER: Final = np.float32(1e-10)
ZERO: Final = np.float32(1e-10)  # amplitudes up to this have no sign
PRODUCT_BINS: Final = 7  # floats whose product, and a mantissa's, stays within a double's range
TINY: Final = np.float32(np.finfo(np.float32).tiny)
LARGEST: Final = np.float32(np.finfo(np.float32).max)
_FREQUENCIES_HZ: Final[Floats] = FREQUENCIES_HZ.astype(np.float32)


class SpectralShape(Analysis):
    """Means and spreads over all frames."""

    hears = Hears.SPECTRUM

    def __init__(self) -> None:
        self._shape = Moments()
        self._extremes = self.until_closed(FrameSpool(2 * BANDS))
        self._highest_db = np.full(2, -np.inf)  # of all peaks, of all valleys

    def on_spectrum(self, block: SpectrumBlock) -> None:
        """Take in the next frames."""
        values = np.empty((5, block.power.shape[1]), dtype=np.float32)
        values[:4] = shape(block.magnitude, block.power)
        values[4] = zero_crossing_rate(block.signal, block.lead, block.tail)
        self._shape.add(values)
        extremes = peaks_and_valleys_db(block.magnitude)
        highest = [extremes[:BANDS].max(), extremes[BANDS:].max()]
        self._highest_db = np.maximum(self._highest_db, highest)
        self._extremes.add(extremes.T)

    def finish(self) -> Spectral:
        """The group; in silence a spectrum has no shape."""
        mean, std = self._shape.mean, self._shape.std
        if mean[0] == 0.0:
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
        frames = 0
        least = (self._highest_db - RANGE_DB).astype(np.float32)
        for extremes in self._extremes.blocks():
            peaks = np.maximum(extremes[:, :BANDS], least[0])
            valleys = np.maximum(extremes[:, BANDS:], least[1])
            contrast.add((peaks - valleys).T)
            frames += extremes.shape[0]
            self.track.done(frames / FRAME_RATE)
        return contrast


def shape(magnitude: Floats, power: Floats) -> Floats:
    """Centroid, bandwidth and rolloff in Hz and the flatness: (bins, frames) to (4, frames)."""
    values = np.empty((4, magnitude.shape[1]), dtype=np.float32)
    _moments_and_rolloff(magnitude, _FREQUENCIES_HZ, values[0], values[1], values[2])
    values[3] = flatness(power)
    return values


@kernel
def _moments_and_rolloff(
    magnitude: Floats, hertz: Floats, centroid: Floats, bandwidth: Floats, rolloff: Floats
) -> None:
    """Fill the three, shape (frames,); all 0 in a silent frame."""
    bins, frames = magnitude.shape
    total = np.zeros(frames, dtype=np.float32)
    centroid[:] = 0.0
    for at in range(bins):
        line, here = magnitude[at], hertz[at]
        for frame in range(frames):
            total[frame] += line[frame]
            centroid[frame] += here * line[frame]
    for frame in range(frames):
        # A silent frame is divided by the largest number rather than by nothing.
        total[frame] = total[frame] if total[frame] > TINY else LARGEST
        centroid[frame] /= total[frame]
    below = np.zeros(frames, dtype=np.float32)
    bins_below = np.zeros(frames, dtype=np.int32)
    bandwidth[:] = 0.0
    for at in range(bins):
        line, here = magnitude[at], hertz[at]
        for frame in range(frames):
            away = here - centroid[frame]
            bandwidth[frame] += away * away * line[frame]
            below[frame] += line[frame]
            bins_below[frame] += below[frame] < ROLLOFF * total[frame]
    for frame in range(frames):
        bandwidth[frame] = np.sqrt(bandwidth[frame] / total[frame])
        rolloff[frame] = hertz[bins_below[frame]] if total[frame] < LARGEST else 0.0


def flatness(power: Floats) -> Doubles:
    """Geometric over arithmetic mean of each frame's power: 1 in silence, as librosa has it."""
    bins, frames = power.shape
    exponents = np.zeros(frames, dtype=np.int64)
    mantissas = np.ones(frames)
    total = np.zeros(frames, dtype=np.float32)
    _factors(power, exponents, mantissas, total)
    log2 = (exponents + np.log2(mantissas)) / bins
    return np.exp2(log2) / (total.astype(np.float64) / bins)


@kernel
def _factors(
    power: Floats, exponents: NDArray[np.int64], mantissas: Doubles, total: Floats
) -> None:
    """The product of each frame's floored power as 2^exponent · mantissa, and its sum.

    A product of a few is taken apart, the exponent added to the others': so no logarithm is needed
    but the last.
    """
    bins, frames = power.shape
    for first in range(0, bins, PRODUCT_BINS):
        for at in range(first, min(first + PRODUCT_BINS, bins)):
            line = power[at]
            for frame in range(frames):
                floored = max(line[frame], FLOOR_POWER)
                total[frame] += floored
                mantissas[frame] *= floored
        _take_exponents(mantissas, exponents)


@kernel
def _take_exponents(values: Doubles, exponents: NDArray[np.int64]) -> None:
    """Leave the mantissas of positive `values`, 1 to 2, and add their exponents to `exponents`."""
    bits = values.view(np.int64)
    for at in range(bits.shape[0]):
        exponents[at] += (bits[at] >> 52) - 1023
        bits[at] = (bits[at] & 0xFFFFFFFFFFFFF) | 0x3FF0000000000000


def zero_crossing_rate(signal: Floats, lead: int, tail: int) -> Floats:
    """Share of samples in each frame whose sign differs from the one before.

    `signal` holds the frames' samples, its first `lead` and last `tail` lying outside the
    recording; those repeat the sign at its edge, so that the edge itself is no crossing.
    """
    hops = signal.shape[0] // HOP
    rates = np.empty(hops + 1 - FRAME // HOP, dtype=np.float32)
    crossed = np.zeros(hops * HOP, dtype=np.int8)
    _mark_crossings(signal, crossed)
    crossed[:lead] = 0
    crossed[signal.shape[0] - tail - 1 :] = 0
    _share_of_each_frame(crossed, rates)
    return rates


@kernel
def _mark_crossings(signal: Floats, crossed: NDArray[np.int8]) -> None:
    """Put 1 where the next sample has another sign."""
    after = signal[1:]
    for at in range(after.shape[0]):
        crossed[at] = (signal[at] < -ZERO) != (after[at] < -ZERO)


@kernel
def _share_of_each_frame(crossed: NDArray[np.int8], rates: Floats) -> None:
    crossings = np.zeros(crossed.shape[0] // HOP, dtype=np.int32)
    for hop in range(crossings.shape[0]):
        inside = crossed[hop * HOP : (hop + 1) * HOP]
        for at in range(HOP):
            crossings[hop] += inside[at]
    for frame in range(rates.shape[0]):
        # The last sample's successor is not in the frame.
        total = -crossed[frame * HOP + FRAME - 1]
        for hop in range(frame, frame + FRAME // HOP):
            total += crossings[hop]
        rates[frame] = total / FRAME
