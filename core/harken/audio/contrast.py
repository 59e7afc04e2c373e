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
    _extremes_of_bands(magnitude, contrast_bands(), values)
    return np.float32(10.0) * np.log10(np.maximum(values, np.float32(FLOOR)))


@kernel
def _extremes_of_bands(magnitude: Floats, bands: NDArray[np.intp], values: Floats) -> None:
    for band in range(BANDS):
        first, end, averaged = bands[band]
        _mean_extremes(magnitude[first:end], averaged, values[band], values[BANDS + band])


@kernel
def _mean_extremes(magnitude: Floats, averaged: int, peak: Floats, valley: Floats) -> None:
    """Means of the `averaged` highest and lowest of each column, into (frames,) arrays.

    Two values at a time, the larger first, are carried through a sorted row of the highest so far:
    each place keeps the largest of the three and passes the other two on. Likewise for the lowest.
    """
    count, frames = magnitude.shape
    highest = np.full((averaged, frames), -1.0, dtype=np.float32)
    lowest = np.full((averaged, frames), LARGEST, dtype=np.float32)
    up, up_after = np.empty(frames, dtype=np.float32), np.empty(frames, dtype=np.float32)
    down, down_after = np.empty(frames, dtype=np.float32), np.empty(frames, dtype=np.float32)
    for at in range(0, count, 2):
        first, second = magnitude[at], magnitude[min(at + 1, count - 1)]
        alone = at + 1 == count
        for frame in range(frames):
            up[frame] = max(first[frame], second[frame])
            up_after[frame] = -1.0 if alone else min(first[frame], second[frame])
            down[frame] = min(first[frame], second[frame])
            down_after[frame] = LARGEST if alone else max(first[frame], second[frame])
        for rank in range(averaged):
            high, low = highest[rank], lowest[rank]
            for frame in range(frames):
                passed = min(high[frame], up[frame])
                high[frame] = max(high[frame], up[frame])
                up[frame] = max(passed, up_after[frame])
                up_after[frame] = min(passed, up_after[frame])
            for frame in range(frames):
                passed = max(low[frame], down[frame])
                low[frame] = min(low[frame], down[frame])
                down[frame] = min(passed, down_after[frame])
                down_after[frame] = max(passed, down_after[frame])
    peak[:] = 0.0
    valley[:] = 0.0
    for rank in range(averaged):
        peak += highest[rank]
        valley += lowest[rank]
    peak /= averaged
    valley /= averaged
