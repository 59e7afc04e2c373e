"""The lowest and the highest sample and the energy of each of up to 16,384 stretches of a recording."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from harken.audio.blocks import Floats
from harken.audio.kernel import kernel

# Four times the pixels of a wide picture, and peaks that a player can zoom into; 65 kB of them in stereo.
MOST_STRETCHES: Final = 1 << 14
SIGNLESS: Final = np.int32(0x7FFFFFFF)


@dataclass(frozen=True, kw_only=True)
class Extremes:
    """Arrays of shape (lanes, stretches); a lane is a channel of mono or stereo, or all of more channels."""

    low: Floats
    high: Floats
    rms: Floats
    samples_each: int
    samples: int  # a channel
    sample_rate: int


class ExtremesMeter:
    """Gathers them; two stretches become one whenever there are too many."""

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._rate, self._channels = sample_rate, channels
        self._lanes = channels if channels <= 2 else 1
        shape = (self._lanes, MOST_STRETCHES)
        # As integers of the same order as the floats, which the compiler compares eight at a time.
        self._low = np.full(shape, np.iinfo(np.int32).max, dtype=np.int32)
        self._high = np.full(shape, np.iinfo(np.int32).min, dtype=np.int32)
        self._squares = np.zeros(shape, dtype=np.float64)
        self._each, self._seen = 1, 0

    def add(self, samples: Floats) -> None:
        """Take in the next samples, shape (channels, n)."""
        while samples.shape[1]:
            taken = min(samples.shape[1], MOST_STRETCHES * self._each - self._seen)
            for channel in range(self._channels):
                lane = channel if self._lanes > 1 else 0
                part = np.ascontiguousarray(samples[channel, :taken])
                _gather(
                    *(part, part.view(np.int32), self._seen, self._each),
                    *(self._low[lane], self._high[lane], self._squares[lane]),
                )
            self._seen += taken
            samples = samples[:, taken:]
            if self._seen == MOST_STRETCHES * self._each:
                self._halve()

    def finish(self) -> Extremes:
        """What was gathered."""
        count = -(-self._seen // self._each)
        held = np.full(count, self._each * (self._channels // self._lanes), dtype=np.float64)
        if count:
            held[-1] = (self._seen - (count - 1) * self._each) * (self._channels // self._lanes)
        return Extremes(
            low=_floats(self._low[:, :count]),
            high=_floats(self._high[:, :count]),
            rms=np.sqrt(self._squares[:, :count] / held).astype(np.float32),
            samples_each=self._each,
            samples=self._seen,
            sample_rate=self._rate,
        )

    def _halve(self) -> None:
        half = MOST_STRETCHES // 2
        for values, join, nothing in (
            (self._low, np.minimum, np.iinfo(np.int32).max),
            (self._high, np.maximum, np.iinfo(np.int32).min),
            (self._squares, np.add, 0),
        ):
            values[:, :half] = join(values[:, ::2], values[:, 1::2])
            values[:, half:] = nothing
        self._each *= 2


def _floats(ordered: NDArray[np.int32]) -> Floats:
    """The floats that integers of their order stand for."""
    return np.ascontiguousarray(ordered ^ ((ordered >> 31) & SIGNLESS)).view(np.float32)


@kernel
def _gather(
    samples: Floats,
    bits: NDArray[np.int32],
    seen: int,
    each: int,
    lows: NDArray[np.int32],
    highs: NDArray[np.int32],
    squares: NDArray[np.float64],
) -> None:
    """Join a channel's samples, `seen` of which came before, to their stretches."""
    at, stretch = 0, seen // each
    room = each - seen % each
    while at < samples.shape[0]:
        end = min(at + room, samples.shape[0])
        part, sound = bits[at:end], samples[at:end]
        low, high, total = lows[stretch], highs[stretch], np.float32(0.0)
        for n in range(part.shape[0]):
            # Floats without a sign have the order of their bits; with one, the opposite.
            value = part[n] ^ ((part[n] >> np.int32(31)) & SIGNLESS)
            low = min(low, value)
            high = max(high, value)
        for n in range(sound.shape[0]):
            total += sound[n] * sound[n]
        lows[stretch], highs[stretch] = low, high
        squares[stretch] += total
        at, stretch, room = end, stretch + 1, each
