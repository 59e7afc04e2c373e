"""Spectral contrast: how far peaks stand above valleys in seven octave bands, in dB.

Jiang et al. (2002), "Music type classification by spectral contrast feature", as in
`librosa.feature.spectral_contrast`: bands up to 200, 400, … 6400 Hz and the rest; peak and valley
are the means of the highest and lowest 2 % of a band's magnitudes.
"""

from functools import cache
from typing import Final

import numpy as np

from harken.audio.blocks import Floats
from harken.audio.spectrum import BINS, FREQUENCIES_HZ

BANDS: Final = 7
FIRST_EDGE_HZ: Final = 200.0
QUANTILE: Final = 0.02
FLOOR: Final = 1e-10  # below this a magnitude counts as silence
RANGE_DB: Final = 80.0  # librosa clips peaks and valleys this far below the recording's largest


@cache
def contrast_bands() -> tuple[tuple[int, int, int], ...]:
    """First bin, end bin and number of bins averaged, a band each."""
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
    return tuple(bands)


def peaks_and_valleys_db(magnitude: Floats) -> Floats:
    """The 7 peaks, then the 7 valleys, of each frame: (frames, bins) to (frames, 14)."""
    means: list[Floats] = []
    for first, end, averaged in contrast_bands():
        band = magnitude[:, first:end]
        if averaged == 1:
            means += [band.max(axis=1), band.min(axis=1)]
            continue
        ordered = np.partition(band, (averaged - 1, band.shape[1] - averaged), axis=1)
        means += [ordered[:, -averaged:].mean(axis=1), ordered[:, :averaged].mean(axis=1)]
    values = np.stack(means[0::2] + means[1::2], axis=1)
    return np.float32(10.0) * np.log10(np.maximum(values, np.float32(FLOOR)))
