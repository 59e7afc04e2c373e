"""The spectrum of the whole, and of single frames near its upper end, from a share of the frames.

A frame is about 23 ms. Every one counts in the first 10 s, five a second from then on: the long-term
spectrum changes slowly, and what a codec leaves out shows in any few seconds.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from harken.audio.blocks import Doubles, Floats

FRAME_S: Final = 0.0232
ALL_FOR_S: Final = 10.0
THEN: Final = 2  # frames in each window of 400 ms
AT_ONCE: Final = (
    32  # frames transformed together: of fewer, the calls cost more than the transforms
)
# Frames softer than this show their own rounding: their RMS, −60 dBFS.
LEAST_POWER: Final = 10.0 ** (-60.0 / 10.0)
HOLE_BAND_HZ: Final = 500.0
HOLE_DB: Final = 30.0  # by which a band lies below the one under it


class LongTerm:
    """Sums the power of the frames, all channels together."""

    def __init__(self, sample_rate: int) -> None:
        self.size = 1 << max(round(float(np.log2(FRAME_S * sample_rate))), 4)
        self.bin_hz = sample_rate / self.size
        self._window = np.hanning(self.size + 1)[:-1].astype(np.float32)
        # A full-scale sine has a largest bin of 0 dB.
        self._scale = 16.0 / self.size**2
        self._all_until = round(ALL_FOR_S * sample_rate)
        self._heard = 0
        self._waiting: list[Floats] = []
        self.power: Doubles = np.zeros(self.size // 2 + 1)
        self.frames = 0
        self.bands = Bands(self.power.shape[0], self.bin_hz)

    def add(self, samples: Floats) -> None:
        """Take in a window, (channels, n); it counts after `end`."""
        count = samples.shape[1]
        whole = count // self.size
        if self._heard < self._all_until:
            starts = [n * self.size for n in range(whole)]
        else:
            starts = [n * count // THEN for n in range(min(THEN, whole))]
        if whole == 0 and self._heard == 0 and count > 0:
            samples = np.pad(samples, ((0, 0), (0, self.size - count)))
            starts = [0]
        self._heard += count
        # Copied, since a window is valid until the next.
        self._waiting += [samples[:, start : start + self.size].copy() for start in starts]
        if len(self._waiting) >= AT_ONCE:
            self.end()

    def end(self) -> None:
        """Look at what has waited; to be called once after the last `add`."""
        if self._waiting:
            self._look(np.stack(self._waiting))
            self._waiting = []

    def _look(self, frames: Floats) -> None:
        flat = frames.reshape(frames.shape[0], -1)
        loud = np.einsum("ij,ij->i", flat, flat) >= LEAST_POWER * flat.shape[1]
        if not loud.any():
            return
        spectra: NDArray[np.complex64] = np.asarray(
            np.fft.rfft(frames[loud] * self._window, axis=2), dtype=np.complex64
        )
        power = (spectra.real**2 + spectra.imag**2).sum(axis=1) * self._scale
        self.power += power.sum(axis=0)
        self.frames += power.shape[0]
        self.bands.add(power)

    def decibels(self) -> Doubles:
        """The mean spectrum."""
        return 10.0 * np.log10(np.maximum(self.power / max(self.frames, 1), 1e-20))


class Bands:
    """Counts how often a band of 500 Hz lies far below the one under it, as where a coder left it out."""

    def __init__(self, bins: int, bin_hz: float) -> None:
        width = max(round(HOLE_BAND_HZ / bin_hz), 1)
        self._edges = np.arange(0, bins - width + 1, width)
        self.width_hz = width * bin_hz
        self.holes = np.zeros(len(self._edges), dtype=np.int64)

    def add(self, power: Doubles | Floats) -> None:
        """Take in spectra, a row a frame."""
        level = np.add.reduceat(power, self._edges, axis=1)
        falls = level[:, 1:] * 10.0 ** (HOLE_DB / 10.0) < level[:, :-1]
        self.holes[1:] += falls.sum(axis=0)
