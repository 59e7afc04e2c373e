"""Local autocorrelation: at which lags onsets repeat, window by window, and on the whole.

Grosche, Müller, Kurth (2010), "Cyclic tempogram".
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import fft

from harken.audio.blocks import FRAME_RATE, Floats

WINDOW: Final = 384  # frames of a local autocorrelation, 9 s
WINDOW_HOP: Final = 48
WINDOWS_AT_ONCE: Final = 32
QUIET: Final = 1e-6  # share of the loudest window's energy below which nothing happens in one


@dataclass(frozen=True, kw_only=True)
class Repetition:
    """Correlations over the lags 0, 1, 2 … frames, 1 where all of it repeats, 0 on the whole."""

    own: Floats  # (envelopes, lags) of each with itself
    cross: Floats  # (lags,) of the lowest part's onsets with those above, whichever comes first
    local: Floats  # (windows, lags) of all together, window by window


def repetition(envelopes: Floats, done: Callable[[float], None]) -> Repetition:
    """Of `envelopes`, shape (envelopes, frames): the onset strength, then the parts from below.

    Lags end at 2/3 of a window (6 s), beyond which too little of it overlaps itself.
    """
    count = envelopes.shape[1]
    size = min(WINDOW, count)
    lags = max(2, size * 2 // 3)
    transform = fft.next_fast_len(2 * size, real=True)
    overlap = np.float32(1.0) - np.arange(lags, dtype=np.float32) / np.float32(size)
    starts = range(0, count - size + 1, WINDOW_HOP)
    energy = np.maximum((envelopes * envelopes).mean(axis=1, keepdims=True) * size * QUIET, 1e-30)
    own = np.zeros((envelopes.shape[0], transform // 2 + 1))
    cross = np.zeros(transform // 2 + 1)
    weights = np.zeros(envelopes.shape[0])
    cross_weight = 0.0
    local: list[Floats] = []
    windows = np.lib.stride_tricks.sliding_window_view(envelopes, size, axis=1)
    for first in range(0, len(starts), WINDOWS_AT_ONCE):
        part = windows[:, first * WINDOW_HOP : starts[-1] + 1 : WINDOW_HOP][:, :WINDOWS_AT_ONCE]
        # Without its mean, so that a steady hiss does not look as if it repeated at every lag.
        part = part - part.mean(axis=2, keepdims=True)
        spectra = fft.rfft(part, transform, axis=2)
        power = spectra.real**2 + spectra.imag**2
        # Divided by the root of the energy: quiet passages speak, silence does not shout.
        root = np.sqrt(np.maximum((part * part).sum(axis=2), energy))
        own += (power / root[:, :, None]).sum(axis=1)
        weights += root.sum(axis=1)
        above = spectra[2:].sum(axis=0)
        low = spectra[1]
        above_root = np.sqrt(np.maximum((part[2:].sum(axis=0) ** 2).sum(axis=1), energy[1]))
        both = np.sqrt(root[1] * above_root)
        cross += ((low.real * above.real + low.imag * above.imag) / both[:, None]).sum(axis=0)
        cross_weight += float(both.sum())
        together = power[0] / root[0, :, None] ** 2 + (power[1:] / (root[1:] ** 2).sum(axis=0)[None, :, None]).sum(axis=0)
        local.append(0.5 * fft.irfft(together, transform, axis=1)[:, :lags] / overlap)
        done((starts[min(first + WINDOWS_AT_ONCE, len(starts)) - 1] + size) / FRAME_RATE)
    own_lags = fft.irfft(own, transform, axis=1)[:, :lags] / weights[:, None] / overlap
    cross_lags = fft.irfft(cross, transform)[:lags] / max(cross_weight, 1e-30) / overlap
    return Repetition(
        own=own_lags.astype(np.float32),
        cross=cross_lags.astype(np.float32),
        local=np.concatenate(local).astype(np.float32),
    )
