"""How tempo and beats are judged.

Gouyon et al. (2006), "An experimental comparison of audio tempo induction algorithms", and the
F-measure of `mir_eval.beat`.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

TOLERANCE: Final = 0.04
FACTORS: Final = (1.0, 2.0, 3.0, 1 / 2, 1 / 3)
WINDOW_S: Final = 0.07
TRIMMED_S: Final = 5.0  # mir_eval leaves out the first five seconds
BINS: Final = 10


def right(found: float | None, bpm: float) -> bool:
    """Acc1: within 4 %."""
    return found is not None and abs(found / bpm - 1.0) <= TOLERANCE


def nearly_right(found: float | None, bpm: float) -> bool:
    """Acc2: within 4 % of the tempo, its double, triple, half or third."""
    return any(right(found, factor * bpm) for factor in FACTORS)


def f_measure(found: ArrayLike, beats: ArrayLike, *, trimmed_s: float = TRIMMED_S) -> float:
    """Share of beats within 70 ms, each counted once, both ways."""
    times = np.asarray(found, dtype=np.float64)
    truth = np.asarray(beats, dtype=np.float64)
    times, truth = times[times >= trimmed_s], truth[truth >= trimmed_s]
    if not times.shape[0] or not truth.shape[0]:
        return 0.0
    hits = at = 0
    for time in truth.tolist():
        while at < times.shape[0] and times[at] < time - WINDOW_S:
            at += 1
        if at < times.shape[0] and times[at] <= time + WINDOW_S:
            hits += 1
            at += 1
    return 2.0 * hits / (times.shape[0] + truth.shape[0])


def calibration_error(confidences: Sequence[float], hits: Sequence[bool]) -> float:
    """Expected calibration error, ten bins of equal width."""
    at = np.minimum((np.asarray(confidences) * BINS).astype(int), BINS - 1)
    error = 0.0
    for number in range(BINS):
        inside = at == number
        if inside.any():
            gap = np.mean(np.asarray(confidences)[inside]) - np.mean(np.asarray(hits)[inside])
            error += float(inside.mean() * abs(gap))
    return error
