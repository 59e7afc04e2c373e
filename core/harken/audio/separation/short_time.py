"""Spectra of overlapping frames of several channels as a stream, and samples from them again.

The frames are those of `librosa.stft(y, n_fft=frame)`: periodic Hann windows, a quarter of a frame apart, centred, the
signal between zeros. Put together again by the same windows and divided by the sum of their squares, spectra that were
left as they are give the signal back.
"""

from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from harken.audio.blocks import Floats
from harken.audio.kernel import kernel

Spectra = NDArray[np.complex64]

OVERLAP: Final = 4  # frames over every sample
LEAST_SQUARE: Final = np.float32(
    1e-6
)  # where the windows' squares sum to less, there is nothing to divide by
LEAST_FRAME: Final = 64  # samples; rates of some hundred Hz have no sound to take apart
LARGEST_FRAME: Final = 8192  # samples: 0.04 s at 192 kHz


def frame_at(sample_rate: int, seconds: float) -> int:
    """The power of two that is nearest to so long."""
    nearest = 2 ** round(np.log2(max(seconds * sample_rate, 1.0)))
    return int(min(max(nearest, LEAST_FRAME), LARGEST_FRAME))


def window_of(frame: int) -> Floats:
    """The periodic Hann window."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frame) / frame)).astype(np.float32)


class Analyser:
    """Samples in, spectra out."""

    def __init__(self, frame: int, channels: int) -> None:
        self._frame, self._hop = frame, frame // OVERLAP
        self._window = window_of(frame)
        self._signal: Floats = np.zeros((channels, frame // 2), dtype=np.float32)

    def push(self, samples: Floats) -> Spectra:
        """Spectra, (channels, frames, bins), of the frames that `samples`, (channels, n), complete."""
        self._signal = np.concatenate([self._signal, samples], axis=1)
        count = max((self._signal.shape[1] - self._frame) // self._hop + 1, 0)
        if count == 0:
            return np.zeros((samples.shape[0], 0, self._frame // 2 + 1), dtype=np.complex64)
        frames = sliding_window_view(self._signal, self._frame, axis=1)[:, :: self._hop]
        self._signal = self._signal[:, count * self._hop :]
        return np.fft.rfft(frames * self._window, axis=2).astype(np.complex64, copy=False)

    def finish(self) -> Spectra:
        """Those of the last frames, which reach beyond the end."""
        return self.push(np.zeros((self._signal.shape[0], self._frame // 2), dtype=np.float32))


class Synthesiser:
    """Spectra in, samples out."""

    def __init__(self, frame: int, channels: int) -> None:
        self._frame, self._hop = frame, frame // OVERLAP
        self._window = window_of(frame)
        self._before = frame // 2  # samples before the first of the signal
        # What later frames still add to: windowed samples, and the squares of the windows above them.
        self._sums: Floats = np.zeros((channels, frame - self._hop), dtype=np.float32)
        self._squares: Floats = np.zeros(frame - self._hop, dtype=np.float32)

    def push(self, spectra: Spectra) -> Floats:
        """The samples, (channels, n), over which no later frame lies."""
        count = spectra.shape[1]
        ready = count * self._hop
        sums = np.pad(self._sums, ((0, 0), (0, ready)))
        squares = np.pad(self._squares, (0, ready))
        if count:
            frames = np.fft.irfft(spectra, self._frame, axis=2).astype(np.float32, copy=False)
            _overlap_add(frames, self._window, self._hop, sums, squares)
        self._sums, self._squares = sums[:, ready:], squares[ready:]
        before = min(self._before, ready)
        self._before -= before
        return _divided(sums[:, before:ready], squares[before:ready])

    def finish(self, count: int) -> Floats:
        """The last `count` samples."""
        sums = self._sums[:, self._before : self._before + count]
        squares = self._squares[self._before : self._before + count]
        rest = _divided(sums, squares)
        return np.pad(rest, ((0, 0), (0, count - rest.shape[1])))


def _divided(sums: Floats, squares: Floats) -> Floats:
    return np.divide(sums, np.maximum(squares, LEAST_SQUARE), dtype=np.float32)


@kernel
def _overlap_add(frames: Floats, window: Floats, hop: int, sums: Floats, squares: Floats) -> None:
    """Add `frames`, (channels, frames, n), under their windows to `sums`, and the windows' squares to `squares`."""
    for channel in range(frames.shape[0]):
        for number in range(frames.shape[1]):
            to = sums[channel, number * hop : number * hop + window.shape[0]]
            frame = frames[channel, number]
            for at in range(window.shape[0]):
                to[at] += window[at] * frame[at]
    for number in range(frames.shape[1]):
        to = squares[number * hop : number * hop + window.shape[0]]
        for at in range(window.shape[0]):
            to[at] += window[at] * window[at]
