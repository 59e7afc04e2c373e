"""What the pitch of a frame may be, each with its probability: the first half of pYIN.

de Cheveigné, Kawahara (2002), "YIN, a fundamental frequency estimator for speech and music": the
troughs of the cumulative mean normalised difference. Mauch, Dixon (2014), "pYIN: a fundamental
frequency estimator using probabilistic threshold distributions": YIN takes the first trough below a
threshold, so with a distribution of thresholds each trough has the probability of being taken.
"""

from math import ceil, log2
from typing import Final

import numpy as np

from harken.audio.blocks import SAMPLE_RATE, Floats, Integers
from harken.audio.kernel import kernel

HOP: Final = 256  # samples from one frame to the next, 11.6 ms
WINDOW: Final = 1024  # samples that are compared: two periods of 43 Hz
LOWEST_HZ: Final = (
    40.0  # published, as is the next: below a bass's E, above a flute's and violin's reach
)
HIGHEST_HZ: Final = 2_200.0
LONGEST_LAG: Final = ceil(SAMPLE_RATE / LOWEST_HZ)  # samples
FRAME: Final = WINDOW + LONGEST_LAG + 1  # samples that one frame looks at
MOST: Final = 8  # candidates a frame; those of less probability than all of them make no difference
# Thresholds are distributed as Beta(2, 18), of which the mean is 0.1 (pYIN's).
BETA: Final = 18.0
# What remains where no trough is below the threshold, for the deepest one (pYIN's).
DEEPEST_ALONE: Final = 0.01
# And more, the deeper it is: a rough voice, or one in a noisy room, is above all thresholds as noise is, but deeper.
DEEPER: Final = 0.1
NOISE_DEPTH: Final = 0.6  # of the deepest troughs of noise, at the least; 1 is no trough at all
# A trough of a period that is too short says that the pitch is above the range. So few samples a period miss the
# trough's bottom, hence more than thresholds are likely to be.
TOO_HIGH: Final = 0.2
# A signal that changes by less, in dBFS (RMS), is silence: half a step of 16 bits is at −98.
SILENCE_DBFS: Final = -75.0
_SILENCE: Final = 2.0 * 10.0 ** (SILENCE_DBFS / 10.0)
_CENTS_OF_A_SAMPLE: Final = 1200.0 * log2(SAMPLE_RATE / LOWEST_HZ)


def find_candidates(signal: Floats, frames: int) -> tuple[Floats, Floats, Integers]:
    """Candidates of the first `frames` frames of `signal`: cents above 40 Hz, probabilities, and how many.

    The arrays have the shapes (frames, MOST), (frames, MOST) and (frames,).
    """
    cents = np.zeros((frames, MOST), dtype=np.float32)
    chances = np.zeros((frames, MOST), dtype=np.float32)
    counts = np.zeros(frames, dtype=np.int32)
    differences = np.zeros(LONGEST_LAG + 2, dtype=np.float32)
    normalised = np.ones(LONGEST_LAG + 2, dtype=np.float32)
    for frame in range(frames):
        part = signal[frame * HOP : frame * HOP + FRAME]
        _differences(part, differences)
        if _normalise(differences, normalised) >= _SILENCE * WINDOW:
            counts[frame] = _troughs(differences, normalised, cents[frame], chances[frame])
    return cents, chances, counts


@kernel
def _differences(part: Floats, differences: Floats) -> None:
    """How much the window differs from itself so many samples later, squared and summed."""
    here = part[:WINDOW]
    for lag in range(1, LONGEST_LAG + 2):
        later = part[lag : lag + WINDOW]
        total = np.float32(0.0)
        for at in range(WINDOW):
            difference = here[at] - later[at]
            total += difference * difference
        differences[lag] = total


@kernel
def _normalise(differences: Floats, normalised: Floats) -> float:
    """Divides each difference by the mean of those up to it; returns the mean of all."""
    total = 0.0
    for lag in range(1, differences.shape[0]):
        total += differences[lag]
        normalised[lag] = differences[lag] * lag / total if total > 0.0 else 1.0
    return total / (differences.shape[0] - 1)


@kernel
def _troughs(differences: Floats, normalised: Floats, cents: Floats, chances: Floats) -> int:
    """Writes the candidates of a frame, the shortest period first; returns their number."""
    count = 0
    left = 1.0  # the share of thresholds for which no trough was taken yet
    least = 1.0
    for lag in range(2, LONGEST_LAG + 1):
        depth = normalised[lag]
        if depth >= normalised[lag - 1] or depth > normalised[lag + 1]:
            continue
        bend = normalised[lag - 1] - 2.0 * depth + normalised[lag + 1]
        slope = normalised[lag - 1] - normalised[lag + 1]
        if bend > 0.0:
            depth = max(depth - slope * slope / (8.0 * bend), 0.0)
        if depth >= least:
            continue
        least = depth
        above = (1.0 - depth) ** BETA * (1.0 + BETA * depth)  # thresholds above the depth
        chance = above - (1.0 - left)
        left = 1.0 - above
        # Where the differences themselves are least, which the division by their mean shifts.
        bend = differences[lag - 1] - 2.0 * differences[lag] + differences[lag + 1]
        slope = differences[lag - 1] - differences[lag + 1]
        period = lag + (min(max(0.5 * slope / bend, -1.0), 1.0) if bend > 0.0 else 0.0)
        # A shorter period than the range has takes its thresholds along: what is above the range is no lower octave.
        if period * HIGHEST_HZ < SAMPLE_RATE:
            if depth < TOO_HIGH:
                return 0
            continue
        if count == MOST:
            count -= 1  # the deeper ones follow
            chance += chances[count]
        cents[count] = _CENTS_OF_A_SAMPLE - 1200.0 * np.log2(period)
        chances[count] = chance
        count += 1
    if count > 0:
        deeper = DEEPER * max(0.0, 1.0 - least / NOISE_DEPTH)
        chances[count - 1] += (DEEPEST_ALONE + deeper) * left
    return count
