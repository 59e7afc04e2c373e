"""True peak: the largest value of the signal between its samples (ITU-R BS.1770-4, annex 2).

The signal is oversampled by 4 below 96 kHz and by 2 below 192 kHz, a doubling at a time by
Kaiser-windowed sincs. The first has 12 taps as each of the standard's own filters, but stays within
0.04 dB up to 0.4 of the sample rate, where those ripple by some tenths of a decibel. The second
works on a signal that fills half its band, and needs 6.

    samples          x0        x1        x2
    first doubling   x0   h0   x1   h1   x2
    second doubling  x0 q h0 q x1 q h1 q x2

Both keep straight lines straight, so a value between two samples lies off the line through them
only as far as the signal bends nearby. Where the largest sample and the sharpest bend together stay
below the peak that is known, which is nearly everywhere in music, nothing needs to be oversampled.
"""

from typing import Final

import numpy as np

from harken.audio.blocks import Floats
from harken.audio.kernel import kernel
from harken.audio.levels import SIGNLESS, largest_magnitude

KAISER_BETA: Final = 5.0  # ripple against the width of the transition
FIRST: Final = 6  # samples on either side that a value half-way between two depends on
SECOND: Final = 3  # values on either side, in the second doubling
MARGIN: Final = -(-SECOND // 2)  # values of the first doubling that the second needs on either side
BEFORE: Final = FIRST - 1 + MARGIN  # samples before a pair that all between it depends on
REACH: Final = 2 * BEFORE + 1  # samples that a place needs beside its own
CHUNK: Final = 256  # samples looked at together: the fewer, the more can be passed over


def doublings(sample_rate: int) -> int:
    """How often to put a value between every two."""
    return 2 if sample_rate < 96_000 else 1 if sample_rate < 192_000 else 0


def midpoint_weights(count: int) -> Floats:
    """Weights of the `count` nearest values on either side, the nearest first."""
    distance = np.arange(count) + 0.5
    window = np.i0(KAISER_BETA * np.sqrt(1.0 - (distance / count) ** 2))
    weights = np.sinc(distance) * window / np.i0(KAISER_BETA)
    # A constant must come out as it is.
    return (weights / (2.0 * weights.sum())).astype(np.float32)


FIRST_WEIGHTS: Final = midpoint_weights(FIRST)
SECOND_WEIGHTS: Final = midpoint_weights(SECOND)


def _response(weights: Floats) -> Floats:
    """What a doubling makes of a single 1: itself, and the weights half-way beside it."""
    response = np.zeros(4 * weights.shape[0] - 1, dtype=np.float32)
    response[::2] = np.concatenate((weights[::-1], weights))
    response[2 * weights.shape[0] - 1] = 1.0
    return response


def _most_above(*doublings: Floats) -> float:
    """How far these doublings can put a value off the line between two samples, for a bend of 1.

    A bend is a second difference, x0 - 2 x1 + x2. What the weights of a place differ from those of
    the line by, summed up twice, are their weights of the bends.
    """
    response = np.ones(1)
    for weights in doublings:
        apart = np.zeros(2 * response.shape[0] - 1)
        apart[::2] = response
        response = np.convolve(apart, _response(weights))
    places = 2 ** len(doublings)
    away = np.abs(np.arange(response.shape[0]) - response.shape[0] // 2)
    off = response - np.maximum(0.0, 1.0 - away / places)
    bends = [np.cumsum(np.cumsum(off[place::places])) for place in range(places)]
    return max(float(np.abs(each).sum()) for each in bends)


MOST_ABOVE: Final = max(_most_above(FIRST_WEIGHTS), _most_above(FIRST_WEIGHTS, SECOND_WEIGHTS))


class TruePeakMeter:
    """The peak over all channels of a signal that arrives in blocks."""

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._peak = 0.0
        self._doublings = doublings(sample_rate)
        self._last = np.zeros((channels, REACH), dtype=np.float32)

    def add(self, samples: Floats) -> None:
        """Take in the next samples, shape (channels, n)."""
        self._peak = _peak_of_all(
            *(samples, self._last, FIRST_WEIGHTS, SECOND_WEIGHTS, self._doublings, self._peak)
        )

    def finish(self) -> float:
        """The linear peak, the ringing after the last sample included."""
        self.add(np.zeros_like(self._last))
        return self._peak


@kernel
def _peak_of_all(
    samples: Floats, last: Floats, first: Floats, second: Floats, doublings: int, peak: float
) -> float:
    """The largest value of all channels if it is more than `peak`.

    `last`, the REACH samples before these, is brought up to date.
    """
    count = samples.shape[1]
    seam = np.zeros(2 * REACH, dtype=np.float32)
    for channel in range(samples.shape[0]):
        new, old = samples[channel], last[channel]
        seam[:REACH] = old
        begin = new[:REACH]
        seam[REACH : REACH + begin.shape[0]] = begin
        peak = _peak_between(seam[: REACH + begin.shape[0]], first, second, doublings, peak)
        peak = _peak_between(new, first, second, doublings, peak)
        for at in range(REACH):
            place = count - REACH + at
            old[at] = new[place] if place >= 0 else old[at + count]
    return peak


@kernel
def _peak_between(
    samples: Floats, first: Floats, second: Floats, doublings: int, peak: float
) -> float:
    """The largest value on and between `samples`, shape (n,), if it is more than `peak`."""
    places = samples.shape[0] - REACH
    halves = np.empty(CHUNK + 2 * MARGIN, dtype=np.float32)
    doubled = np.empty(2 * (CHUNK + 2 * MARGIN), dtype=np.float32)
    quarters = np.empty(2 * CHUNK, dtype=np.float32)
    for start in range(0, places, CHUNK):
        count = min(CHUNK, places - start)
        part = samples[start : start + count + REACH]
        largest, sharpest = _largest_and_sharpest(part)
        peak = max(peak, largest)
        if doublings == 0 or largest + MOST_ABOVE * sharpest <= peak:
            continue
        between = halves[: count + 2 * MARGIN]
        _halfway(part, first, between)
        peak = max(peak, largest_magnitude(between))
        if doublings == 1:
            continue
        both = doubled[: 2 * between.shape[0]]
        for at in range(between.shape[0]):
            both[2 * at] = part[FIRST - 1 + at]
            both[2 * at + 1] = between[at]
        _halfway(both[2 * MARGIN - SECOND + 1 :], second, quarters[: 2 * count])
        peak = max(peak, largest_magnitude(quarters[: 2 * count]))
    return peak


@kernel
def _largest_and_sharpest(samples: Floats) -> tuple[float, float]:
    """The largest magnitudes of the samples and of their second differences, compared as in `largest_magnitude`."""
    before, here, after = samples[:-2], samples[1:-1], samples[2:]
    bits = samples.view(np.int32)
    largest = max(bits[0] & SIGNLESS, bits[bits.shape[0] - 1] & SIGNLESS)
    sharpest = np.int32(0)
    for at in range(here.shape[0]):
        largest = max(largest, bits[at + 1] & SIGNLESS)
        bend = np.float32((before[at] - here[at]) + (after[at] - here[at]))
        sharpest = max(sharpest, bend.view(np.int32) & SIGNLESS)
    return float(np.int32(largest).view(np.float32)), float(np.int32(sharpest).view(np.float32))


@kernel
def _halfway(values: Floats, weights: Floats, between: Floats) -> None:
    """Fill `between`, shape (n,), from the n + 2 · weights - 1 or more `values` around it."""
    side, count = weights.shape[0], between.shape[0]
    between[:] = 0.0
    for tap in range(0, side, 3):
        a, b, c = weights[tap], weights[tap + 1], weights[tap + 2]
        near, far = values[side - 1 - tap :], values[side + tap :]
        nearer, farther = values[side - 2 - tap :], values[side + tap + 1 :]
        nearest, farthest = values[side - 3 - tap :], values[side + tap + 2 :]
        for at in range(count):
            between[at] += (
                a * (near[at] + far[at])
                + b * (nearer[at] + farther[at])
                + c * (nearest[at] + farthest[at])
            )
