"""Plain levels: squares and the largest magnitude, in one pass each."""

from typing import Final

import numpy as np

from harken.audio.blocks import Floats
from harken.audio.kernel import kernel

SIGNLESS: Final = np.int32(0x7FFFFFFF)
CHUNK: Final = 1024  # samples whose squares are summed before they join the rest


@kernel
def levels(samples: Floats) -> tuple[float, float]:
    """The sum of squares and the largest magnitude of all channels."""
    squares, peak = 0.0, 0.0
    for channel in range(samples.shape[0]):
        squares += _sum_of_squares(samples[channel])
        peak = max(peak, largest_magnitude(samples[channel]))
    return squares, peak


@kernel
def _sum_of_squares(samples: Floats) -> float:
    total = 0.0
    for start in range(0, samples.shape[0], CHUNK):
        part = samples[start : start + CHUNK]
        # As floats while they are few: a vector holds twice as many as of doubles.
        squares = np.float32(0.0)
        for at in range(part.shape[0]):
            squares += part[at] * part[at]
        total += float(squares)
    return total


@kernel
def largest_magnitude(values: Floats) -> float:
    """The largest magnitude; NaN where there is one.

    Without their sign, floats are ordered as their bits are, with NaN above infinity.
    """
    bits = values.view(np.int32)
    largest = np.int32(0)
    for at in range(bits.shape[0]):
        largest = max(largest, bits[at] & SIGNLESS)
    return float(np.int32(largest).view(np.float32))
