"""Local autocorrelation: at which lags onsets repeat, window by window and on the whole.

Grosche, Müller, Kurth (2010), "Cyclic tempogram".
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from harken.audio.blocks import FRAME_RATE, Doubles, Floats

WINDOW: Final = 384  # frames of a local autocorrelation, 9 s
WINDOW_HOP: Final = 48
WINDOWS_AT_ONCE: Final = 32
QUIET: Final = 1e-6  # share of the mean energy below which nothing happens in a window
NOTHING: Final = 1e-20  # keeps a division by no energy at all finite
SEGMENT: Final = 8192  # frames whose long lags are looked at together, 190 s


@dataclass(frozen=True, kw_only=True)
class Repetition:
    """Correlations over the lags 0, 1, 2 … frames: 1 where all repeats, about 0 by chance."""

    own: Floats  # (envelopes, lags), each with itself
    cross: Floats  # (lags,), onsets of the lowest part with those above, whichever come first
    together: Floats  # (lags,), all with themselves


def repetition(envelopes: Floats, done: Callable[[float], None]) -> Repetition:
    """Of `envelopes`, shape (envelopes, frames): the onset strength, then the parts from below.

    Lags end at 2/3 of a window (6 s), beyond which too little of it overlaps itself. `done` hears
    now and then how many seconds have been looked at.
    """
    size = min(WINDOW, envelopes.shape[1])
    lags = max(2, size * 2 // 3)
    transform = fast_length(2 * size)
    mean_square = np.array([[np.dot(one, one)] for one in envelopes]) / envelopes.shape[1]
    quiet = mean_square * np.float32(size * QUIET) + np.float32(NOTHING)
    spectra_of_own = np.zeros((envelopes.shape[0], transform // 2 + 1))
    spectrum_of_cross = np.zeros(transform // 2 + 1)
    own_weight = np.zeros((envelopes.shape[0], 1))
    cross_weight = 0.0
    total = np.zeros(transform // 2 + 1)
    windows = np.lib.stride_tricks.sliding_window_view(envelopes, size, axis=1)[:, ::WINDOW_HOP]
    overlap = 1.0 - np.arange(lags, dtype=np.float32) / np.float32(size)
    for first in range(0, windows.shape[1], WINDOWS_AT_ONCE):
        part = windows[:, first : first + WINDOWS_AT_ONCE]
        # Without its mean, so that a steady hiss does not look as if it repeated at every lag.
        part = part - part.mean(axis=2, keepdims=True)
        spectra = np.fft.rfft(part, transform, axis=2)
        power = spectra.real**2 + spectra.imag**2
        energy = np.maximum((part * part).sum(axis=2), quiet)
        # Divided by the root of the energy: quiet passages speak, silence does not shout.
        root = np.sqrt(energy)[:, :, None]
        spectra_of_own += (power / root).sum(axis=1)
        own_weight += root.sum(axis=1)
        low, above = spectra[1], spectra[2:].sum(axis=0)
        both = np.sqrt(root[1] * np.sqrt(energy[2:].sum(axis=0))[:, None])
        product = low.real * above.real + low.imag * above.imag
        spectrum_of_cross += (product / both).sum(axis=0)
        cross_weight += float(both.sum())
        # Decibels and loudness count the same.
        together = power[0] / energy[0, :, None]
        together += power[1:].sum(axis=0) / energy[1:].sum(axis=0)[:, None]
        total += together.sum(axis=0)
        done(((first + part.shape[1] - 1) * WINDOW_HOP + size) / FRAME_RATE)
    own = np.fft.irfft(spectra_of_own / own_weight, transform, axis=1)[:, :lags] / overlap
    cross = np.fft.irfft(spectrum_of_cross / cross_weight, transform)[:lags] / overlap
    whole = np.fft.irfft(total, transform)[:lags] / overlap
    return Repetition(
        own=own.astype(np.float32),
        cross=cross.astype(np.float32),
        together=(whole / max(float(whole[0]), NOTHING)).astype(np.float32),
    )


def long_autocorrelation(envelope: Floats, done: Callable[[float], None]) -> Doubles:
    """Unbiased autocorrelation, 1 at lag 0, up to half the envelope or half a segment of it."""
    size = min(SEGMENT, envelope.shape[0])
    transform = fast_length(size + size // 2 + 1)
    power = np.zeros(transform // 2 + 1)
    for first in range(0, envelope.shape[0] - size + 1, size):
        part = envelope[first : first + size]
        spectrum = np.fft.rfft(part - part.mean(), transform)
        power += spectrum.real**2 + spectrum.imag**2
        done((first + size) / FRAME_RATE)
    raw = np.fft.irfft(power, transform)[: size // 2 + 1]
    unbiased = raw / (size - np.arange(raw.shape[0]))
    return unbiased / max(float(unbiased[0]), NOTHING)


def fast_length(least: int) -> int:
    """The smallest 2ⁿ or 3 · 2ⁿ from `least` on."""
    power = 1 << (least - 1).bit_length()
    return 3 * power // 4 if 3 * power // 4 >= least else power
