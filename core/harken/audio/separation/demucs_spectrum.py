"""The spectrum that Demucs takes beside the sound, and gives one of each stem.

Exports of its hybrid models hold the network alone: what surrounds it, the transform there and back, is left to whoever
runs it. Frames of 4,096 samples, a quarter of it apart, under Hann windows, divided by 64; the sound is mirrored by
1,536 samples before its beginning; the highest of the 2,049 bins is left out. Real and imaginary parts are channels of
their own, one after the other. Défossez (2021), "Hybrid spectrogram and waveform source separation".
"""

from typing import Final

import numpy as np

from harken.audio.blocks import Floats
from harken.audio.separation.short_time import window_of

FRAME: Final = 4096
HOP: Final = 1024
BINS: Final = FRAME // 2
BEFORE: Final = 3 * HOP // 2  # samples of the mirror image
SCALE: Final = np.float32(FRAME**0.5)
SQUARES: Final = np.float32(1.5)  # what the windows' squares sum to, at any sample
LAID: Final = FRAME // HOP  # frames over every sample


def frames_of(samples: int) -> int:
    """How many frames so many samples have."""
    return -(-samples // HOP)


def spectrum_of(samples: Floats) -> Floats:
    """The spectrum of samples, (channels, n): (2 · channels, bins, frames)."""
    channels, count = samples.shape
    frames = frames_of(count)
    after = BEFORE + frames * HOP - count
    padded = np.pad(samples, ((0, 0), (BEFORE, after)), mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, FRAME, axis=1)[:, ::HOP]
    spectra = np.fft.rfft(windows * window_of(FRAME), axis=2)[:, :, :BINS] / SCALE
    parts = np.stack([spectra.real, spectra.imag], axis=1)  # (channels, 2, frames, bins)
    shaped = parts.transpose(0, 1, 3, 2).reshape(2 * channels, BINS, frames)
    return np.ascontiguousarray(shaped, dtype=np.float32)


def samples_of(spectrum: Floats, count: int) -> Floats:
    """The `count` samples of a spectrum, (channels, count)."""
    channels, frames = spectrum.shape[0] // 2, spectrum.shape[2]
    parts = spectrum.reshape(channels, 2, BINS, frames).transpose(0, 1, 3, 2)
    spectra = np.zeros((channels, frames, BINS + 1), dtype=np.complex64)
    spectra.real[:, :, :BINS], spectra.imag[:, :, :BINS] = parts[:, 0], parts[:, 1]
    windows = np.fft.irfft(spectra, FRAME, axis=2).astype(np.float32, copy=False)
    windows *= window_of(FRAME) * (SCALE / SQUARES)
    sums = np.zeros((channels, (frames + LAID - 1) * HOP), dtype=np.float32)
    for part in range(LAID):
        piece = windows[:, :, part * HOP : (part + 1) * HOP]
        sums[:, part * HOP : (part + frames) * HOP] += piece.reshape(channels, -1)
    return sums[:, BEFORE : BEFORE + count]
