"""Spectral contrast: how far peaks stand above valleys in seven octave bands, in dB.

Jiang et al. (2002), "Music type classification by spectral contrast feature", as in
`librosa.feature.spectral_contrast`: bands up to 200, 400, … 6400 Hz and the rest; peak and valley
are the means of the highest and lowest 2 % of a band's magnitudes.
"""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from harken.audio.blocks import Floats
from harken.audio.kernel import kernel
from harken.audio.spectrum import BINS, FREQUENCIES_HZ

BANDS: Final = 7
FIRST_EDGE_HZ: Final = 200.0
QUANTILE: Final = 0.02
LARGEST: Final = np.float32(np.finfo(np.float32).max)
FLOOR: Final = 1e-10  # below this a magnitude counts as silence
RANGE_DB: Final = 80.0  # librosa clips peaks and valleys this far below the recording's largest


@cache
def contrast_bands() -> NDArray[np.intp]:
    """First bin, end bin and number of bins averaged, a band each: shape (7, 3)."""
    edges = [0.0, *(FIRST_EDGE_HZ * 2.0**octave for octave in range(BANDS))]
    bands: list[tuple[int, int, int]] = []
    for band in range(BANDS):
        inside = np.flatnonzero(
            (edges[band] <= FREQUENCIES_HZ) & (edges[band + 1] >= FREQUENCIES_HZ)
        )
        # librosa widens a band by the bin below it, counts all, then drops the highest bin but
        # in the last band, which runs to the end.
        first = int(inside[0]) - (band > 0)
        last = band == BANDS - 1
        end = BINS if last else int(inside[-1]) + 1
        averaged = max(1, round(QUANTILE * (end - first)))
        bands.append((first, end if last else end - 1, averaged))
    return np.array(bands)


def peaks_and_valleys_db(magnitude: Floats) -> Floats:
    """The 7 peaks, then the 7 valleys, of each frame: (bins, frames) to (14, frames)."""
    values = np.empty((2 * BANDS, magnitude.shape[1]), dtype=np.float32)
    bands = contrast_bands()
    for band, (first, end, averaged) in enumerate(bands.tolist()):
        _mean_extremes(magnitude[first:end], averaged, values[band], values[BANDS + band])
    return np.float32(10.0) * np.log10(np.maximum(values, np.float32(FLOOR)))


@kernel
def _mean_extremes(magnitude: Floats, averaged: int, peak: Floats, valley: Floats) -> None:
    """Means of the `averaged` highest and lowest of each column, into (frames,) arrays.

    Every value is carried through a sorted row of the highest so far, each keeping the larger and
    passing on the smaller, and likewise through one of the lowest.
    """
    frames = magnitude.shape[1]
    highest = np.full((averaged, frames), -1.0, dtype=np.float32)
    lowest = np.full((averaged, frames), LARGEST, dtype=np.float32)
    up = np.empty(frames, dtype=np.float32)
    down = np.empty(frames, dtype=np.float32)
    for at in range(magnitude.shape[0]):
        up[:] = magnitude[at]
        down[:] = magnitude[at]
        for rank in range(averaged):
            high, low = highest[rank], lowest[rank]
            for frame in range(frames):
                held, passed = high[frame], up[frame]
                high[frame] = max(held, passed)
                up[frame] = min(held, passed)
                held, passed = low[frame], down[frame]
                low[frame] = min(held, passed)
                down[frame] = max(held, passed)
    peak[:] = 0.0
    valley[:] = 0.0
    for rank in range(averaged):
        peak += highest[rank]
        valley += lowest[rank]
    peak /= averaged
    valley /= averaged
