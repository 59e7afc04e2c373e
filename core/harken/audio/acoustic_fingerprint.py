"""What a recording is known by in other formats: bits of how its spectrum changes.

After Haitsma and Kalker (A highly robust audio fingerprinting system, 2002): 33 bands, and a bit for
each two neighbours that says whether their difference grows or falls. Codecs, gain and filters leave
most signs as they are; another recording has half of them otherwise. Here levels are in dB, over a
window of a quarter of a second, and compared with those 0.19 s before, so that it matters little
where the frames of a file that was cut lie.

Of a long recording stretches are kept: its first 32 s, and 16 s from each minute 1, 2, 4, 8 … on.
Kept as bytes: version, stretches, duration; the frames of each stretch; their words, of which 0 is
silence; then the signs of a short recording's waveform (waveform_signs.py).
"""

import struct
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from harken.audio.blocks import FRAME, HOP, SAMPLE_RATE, Doubles, Floats, SpectrumBlock
from harken.audio.kernel import kernel
from harken.audio.padding import with_zeros

Words = NDArray[np.uint32]

VERSION: Final = 2  # 1 had no signs
HEADER: Final = struct.Struct("<BBf")
BANDS: Final = 33
LOWEST_HZ: Final = 200.0
HIGHEST_HZ: Final = 8_000.0
STEP: Final = 2  # frames of the spectrum from one word to the next, 46 ms
WINDOW: Final = 8  # frames whose power is summed, a quarter of a second
LAG: Final = 4  # words: what a level is compared with
RATE: Final = SAMPLE_RATE / HOP / STEP  # words a second
FLOOR: Final = 1e-6  # of the loudest band, -60 dB: added, so that nothing jumps where it is silent
LEAST: Final = 1e-5  # of the loudest window, -50 dB: what lies lower is silence
FIRST_S: Final = 32.0
LATER_S: Final = 16.0
MINUTE_S: Final = 60.0
STRETCHES: Final = 12  # the last one begins after 17 hours


class AcousticFingerprint:
    """Collects the bands of a recording's stretches."""

    def __init__(self) -> None:
        self._frames = 0  # heard so far
        self._kept: list[list[Doubles]] = [[] for _ in STARTS]

    def add(self, block: SpectrumBlock) -> None:
        """Take in the next frames."""
        first, end = self._frames, self._frames + block.power.shape[1]
        for place, (start, stop) in enumerate(STARTS):
            if first < stop and end > start:
                some = block.power[:, max(start - first, 0) : stop - first]
                self._kept[place].append(in_bands(some))
        self._frames = end

    def finish(self, duration_s: float) -> bytes | None:
        """The fingerprint; None of silence."""
        stretches = [np.concatenate(some, axis=1) for some in self._kept if some]
        windows = [windowed(stretch) for stretch in stretches]
        peak = max((float(window.max(initial=0.0)) for window in windows), default=0.0)
        if peak <= 0.0:
            return None
        loudest = max(float(window.sum(axis=0).max()) for window in windows)
        words = [bits(window, peak, loudest) for window in windows]
        if not any(stretch.any() for stretch in words):
            return None
        counts = struct.pack(f"<{len(words)}H", *(stretch.shape[0] for stretch in words))
        packed = b"".join(stretch.astype("<u4").tobytes() for stretch in words)
        return HEADER.pack(VERSION, len(words), duration_s) + counts + packed


def _starts() -> tuple[tuple[int, int], ...]:
    """The first frame of each stretch, and the one after its last."""
    per_s = SAMPLE_RATE / HOP
    begins = [MINUTE_S * 2**power for power in range(STRETCHES - 1)]
    later = [(round(begin * per_s), round((begin + LATER_S) * per_s)) for begin in begins]
    return ((0, round(FIRST_S * per_s)), *later)


STARTS: Final = _starts()


def windowed(power: Doubles) -> Doubles:
    """The bands' power in windows, a word's step apart; what is around the stretch is silence."""
    around = with_zeros(power, WINDOW, WINDOW)
    total = np.cumsum(around, axis=1)
    return np.asarray((total[:, WINDOW:] - total[:, :-WINDOW])[:, ::STEP])


def bits(power: Doubles, peak: float, loudest: float) -> Words:
    """A word for each window but those of silence, which have 0."""
    level = 10 * np.log10(power + FLOOR * peak)
    before = level[:, np.maximum(np.arange(level.shape[1]) - LAG, 0)]
    slope = level[:-1] - level[1:]
    grows = slope - (before[:-1] - before[1:]) > 0
    values = 2 ** np.arange(BANDS - 1, dtype=np.uint32)
    words = (grows * values[:, None]).sum(axis=0).astype(np.uint32)
    sounds = power.sum(axis=0) > LEAST * loudest
    return np.where(sounds, np.maximum(words, 1), 0).astype(np.uint32)


@cache
def edges() -> NDArray[np.intp]:
    """The first bin of each band, and the one after the last."""
    hertz = np.geomspace(LOWEST_HZ, HIGHEST_HZ, BANDS + 1)
    return np.round(hertz * FRAME / SAMPLE_RATE).astype(np.intp)


def in_bands(power: Floats) -> Doubles:
    """The power of each band, from that of each bin: (bins, frames) to (33, frames)."""
    sums = np.zeros((BANDS, power.shape[1]), dtype=np.float32)
    _add_bins(power, edges(), sums)
    return sums.astype(np.float64)


@kernel
def _add_bins(power: Floats, edges: NDArray[np.intp], sums: Floats) -> None:
    for band in range(sums.shape[0]):
        total = sums[band]
        for at in range(edges[band], edges[band + 1]):
            line = power[at]
            for frame in range(total.shape[0]):
                total[frame] += line[frame]
