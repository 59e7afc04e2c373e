"""The short-time spectrum of the mono signal: 2048-sample Hann windows every 512, centred.

The frames are those of `librosa.stft(y, n_fft=2048, hop_length=512)`: the signal is padded with
1024 zeros at both ends, so that frame t is centred on sample 512·t.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from harken.audio.blocks import FRAME, HOP, SAMPLE_RATE, Complexes, Doubles, Floats, SpectrumBlock
from harken.audio.kernel import kernel

BLOCK_FRAMES: Final = 64  # 1.5 s of audio; a quarter of a megabyte of magnitudes stays in the cache
BINS: Final = 1 + FRAME // 2
FREQUENCIES_HZ: Final[Doubles] = np.arange(BINS, dtype=np.float64) * (SAMPLE_RATE / FRAME)
# Periodic, not symmetric: what librosa and every STFT with overlapping frames uses.
WINDOW: Final[Doubles] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)
WINDOW_32: Final[Floats] = WINDOW.astype(np.float32)
ROUNDING: Final = 3e-7  # share of the loudest bin, -130 dB, at which float32 begins to tell
FEW: Final = 1 / 16  # of the frames with sound: so many change a mean too little to be worth it
FRAMES_AT_ONCE: Final = 32  # in the transform: samples and spectrum of more leave the cache
GROUP: Final = 8  # bins looked at together, and transposed: a line of the cache
LARGEST: Final = np.float32(np.finfo(np.float32).max)


class SpectrumStream:
    """Cuts a signal that arrives in pieces into frames and transforms them block by block."""

    def __init__(self) -> None:
        self._held: Floats = np.zeros(FRAME // 2, dtype=np.float32)
        self._lead = FRAME // 2

    def push(self, signal: Floats) -> Iterator[SpectrumBlock]:
        """The blocks that `signal` of shape (n,) completes."""
        self._held = np.concatenate([self._held, signal])
        needed = (BLOCK_FRAMES - 1) * HOP + FRAME
        while self._held.shape[0] >= needed:
            yield self._block(self._held[:needed], tail=0)
            self._held = self._held[BLOCK_FRAMES * HOP :]

    def finish(self) -> Iterator[SpectrumBlock]:
        """The blocks under the end of the signal."""
        padded = np.pad(self._held, (0, FRAME // 2))
        frames = 1 + (padded.shape[0] - FRAME) // HOP
        for start in range(0, frames, BLOCK_FRAMES):
            count = min(BLOCK_FRAMES, frames - start)
            end = start * HOP + (count - 1) * HOP + FRAME
            tail = max(0, end - self._held.shape[0])
            yield self._block(padded[start * HOP : end], tail=tail)

    def _block(self, signal: Floats, tail: int) -> SpectrumBlock:
        count = 1 + (signal.shape[0] - FRAME) // HOP
        step = signal.strides[0]
        frames = np.lib.stride_tricks.as_strided(
            signal, (count, FRAME), (HOP * step, step), writeable=False
        )
        power = _power(frames, WINDOW_32)
        magnitude = np.empty_like(power)
        pure = _roots(power, magnitude)
        if pure.size:
            power[:, pure] = _power(frames[pure], WINDOW)
            magnitude[:, pure] = np.sqrt(power[:, pure])
        lead, self._lead = self._lead, max(0, self._lead - count * HOP)
        return SpectrumBlock(magnitude=magnitude, power=power, signal=signal, lead=lead, tail=tail)


def _power(frames: Floats, window: Floats | Doubles) -> Floats:
    """Power spectrum of (frames, FRAME) samples, shape (bins, frames), as precise as the window."""
    power = np.empty((BINS, frames.shape[0]), dtype=np.float32)
    for start in range(0, frames.shape[0], FRAMES_AT_ONCE):
        windowed = frames[start : start + FRAMES_AT_ONCE] * window
        spectrum = scipy.fft.rfft(windowed, axis=1, overwrite_x=True)
        _store_power(np.asarray(spectrum, dtype=np.complex64), power, start)
    return power


@kernel
def _store_power(spectrum: Complexes, power: Floats, start: int) -> None:
    """Write the squares of `spectrum`, (frames, bins), to the columns of `power` from `start` on."""
    frames, bins = spectrum.shape
    for first in range(0, bins, GROUP):
        for frame in range(frames):
            part = spectrum[frame, first : first + GROUP]
            for at in range(part.shape[0]):
                power[first + at, start + frame] = part[at].real ** 2 + part[at].imag ** 2


def _roots(power: Floats, magnitude: Floats) -> NDArray[np.intp]:
    """Fill `magnitude` from `power`, (bins, frames), and say which frames are pure tones.

    In the valleys of a pure tone float32 shows its own rounding: the contrast of a vibraphone would
    be 3 % off. Few sounds are like that, so they alone pay for a transform in float64.
    """
    loudest = np.zeros(power.shape[1], dtype=np.float32)
    quiet = np.full((2, power.shape[1]), LARGEST, dtype=np.float32)
    _magnitudes(power, magnitude, loudest, quiet)
    # One quiet group is nothing: the resampler leaves one at the very top of every sound.
    pure = np.flatnonzero(quiet[1] < ROUNDING * loudest)
    few = pure.shape[0] < FEW * np.count_nonzero(loudest)
    return pure[:0] if few else pure


@kernel
def _magnitudes(power: Floats, magnitude: Floats, loudest: Floats, quiet: Floats) -> None:
    """The roots of `power`, the largest of each frame, and the two least means of GROUP bins."""
    bins, frames = power.shape
    total = np.empty(frames, dtype=np.float32)
    least, next_least = quiet[0], quiet[1]
    for first in range(0, bins - GROUP + 1, GROUP):
        total[:] = 0.0
        for at in range(first, first + GROUP):
            squares, roots = power[at], magnitude[at]
            for frame in range(frames):
                roots[frame] = np.sqrt(squares[frame])
                total[frame] += roots[frame]
                loudest[frame] = max(loudest[frame], roots[frame])
        for frame in range(frames):
            mean = total[frame] / np.float32(GROUP)
            next_least[frame] = min(next_least[frame], max(least[frame], mean))
            least[frame] = min(least[frame], mean)
    for at in range(bins - bins % GROUP, bins):
        for frame in range(frames):
            magnitude[at, frame] = np.sqrt(power[at, frame])
