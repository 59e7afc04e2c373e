"""Chroma: how much of each pitch class, C first, a spectrum holds at concert pitch.

Ellis (2007), "Chroma feature analysis and synthesis"; the filters of `librosa.filters.chroma` and
the normalisation of `librosa.feature.chroma_stft(tuning=0)`.
"""

from functools import cache
from typing import Final

import numpy as np

from harken.audio.blocks import FRAME, SAMPLE_RATE, Floats
from harken.audio.spectrum import BINS

PITCH_CLASSES: Final = 12
A0_HZ: Final = 27.5  # octave 0 of the filters
CENTRE_OCTAVE: Final = 5.0  # weights fall off as a Gaussian around here
OCTAVE_WIDTH: Final = 2.0
C_AFTER_A: Final = 3  # semitones: the filters start at A, chroma at C


@cache
def chroma_filters() -> Floats:
    """Weights from the power spectrum's bins to the pitch classes, shape (12, bins)."""
    frequencies = np.arange(1, FRAME) * (SAMPLE_RATE / FRAME)
    semitones = PITCH_CLASSES * np.log2(frequencies / A0_HZ)
    # Bin 0 has no pitch; librosa puts it an octave and a half below bin 1.
    semitones = np.concatenate([[semitones[0] - 1.5 * PITCH_CLASSES], semitones])
    widths = np.concatenate([np.maximum(np.diff(semitones), 1.0), [1.0]])
    distance = semitones[:, None] - np.arange(PITCH_CLASSES)[None, :]
    half = PITCH_CLASSES // 2
    distance = np.remainder(distance + half, PITCH_CLASSES) - half
    weights = np.exp(-0.5 * (2.0 * distance / widths[:, None]) ** 2)
    weights /= np.sqrt((weights**2).sum(axis=1, keepdims=True))
    octaves = (semitones / PITCH_CLASSES - CENTRE_OCTAVE) / OCTAVE_WIDTH
    weights *= np.exp(-0.5 * octaves**2)[:, None]
    weights = np.roll(weights, -C_AFTER_A, axis=1)[:BINS]
    return np.ascontiguousarray(weights.T, dtype=np.float32)


def chroma(power: Floats) -> Floats:
    """Pitch classes of each frame, the largest being 1: (bins, frames) to (12, frames)."""
    classes = chroma_filters() @ power
    largest = classes.max(axis=0)
    largest[largest < np.finfo(np.float32).tiny] = 1.0
    return classes / largest
