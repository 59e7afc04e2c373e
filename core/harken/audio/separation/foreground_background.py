"""What repeats and what does not, told apart by the frames that are alike.

An accompaniment comes back, a voice above it hardly ever does twice the same: the median of a frame and of those most
like it, bin by bin, keeps what they have in common, the background. Rafii and Pardo (2012), "Music/voice separation
using the similarity matrix", in the form for streams of Rafii and Pardo (2013), "Online REPET-SIM for real-time speech
enhancement": the frames that are compared lie within some seconds, here on either side, so that memory stays flat.

Frames are alike where those around them are alike too, in the same order: a voice that is louder than what it is over
makes single frames alike by chance, seldom nine in a row.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from harken.audio.blocks import Floats
from harken.audio.kernel import kernel
from harken.audio.separation.masking import Mask, MaskedSeparator
from harken.audio.separation.short_time import OVERLAP, frame_at

NAMES: Final = ("background", "foreground")
FRAME_S: Final = 0.093  # 4096 samples at 44,100 Hz: voices are told apart by their harmonics
REACH_S: Final = 30.0  # compared on either side
AROUND_S: Final = (
    0.093  # of the frames around, on either side: a sixteenth note is hardly shorter than both
)
APART_S: Final = 1.0  # between any two that are taken, or they would be one event
AWAY_S: Final = 2.0  # and from the frame itself
MOST: Final = 25  # frames that are taken
NO_LENGTH: Final = np.float32(1e-12)  # of silent frames, which are like none
NOTHING: Final = np.float32(1e-20)  # no sound is that soft
LANES: Final = 64  # bins at a time


def foreground_background(sample_rate: int, channels: int) -> MaskedSeparator:
    """A separator into background and foreground."""
    frame = frame_at(sample_rate, FRAME_S)
    frames_a_second = sample_rate * OVERLAP / frame
    mask = BackgroundMask(frame // 2 + 1, frames_a_second)
    return MaskedSeparator(mask, NAMES, frame, channels)


class BackgroundMask(Mask):
    """The background's share; it knows of a frame once it has seen the fifteen seconds after it."""

    def __init__(self, bins: int, frames_a_second: float) -> None:
        self._reach = max(round(REACH_S * frames_a_second), 1)
        self._apart = max(round(APART_S * frames_a_second), 1)
        self._away = max(round(AWAY_S * frames_a_second), 1)
        self._around = round(AROUND_S * frames_a_second)
        self._magnitudes: Floats = np.zeros((0, bins), dtype=np.float32)
        self._lengths: Floats = np.zeros(0, dtype=np.float32)
        self._done = 0  # frames of those kept whose shares are out

    def push(self, magnitudes: Floats) -> Floats:
        """Shares of the frames that have as many after them as it takes."""
        lengths = np.sqrt(np.einsum("ij,ij->i", magnitudes, magnitudes))
        self._magnitudes = np.concatenate([self._magnitudes, magnitudes])
        self._lengths = np.concatenate([self._lengths, np.maximum(lengths, NO_LENGTH)])
        return self._shares(self._magnitudes.shape[0] - self._reach - self._around)

    def finish(self) -> Floats:
        """Shares of the last frames."""
        return self._shares(self._magnitudes.shape[0])

    def _shares(self, end: int) -> Floats:
        start = self._done
        if end <= start:
            return self._magnitudes[:0]
        chosen = np.empty((end - start, MOST), dtype=np.int64)
        counts = np.empty(end - start, dtype=np.int64)
        first, likeness = self._likeness(start, end)
        _choose(
            *(likeness, first, start, self._around, self._reach, self._apart, self._away),
            *(chosen, counts),
        )
        here = self._magnitudes[start:end]
        background = np.empty_like(here)
        _medians(self._magnitudes, start, chosen, counts, background)
        forgotten = max(end - self._reach - self._around, 0)
        self._done = end - forgotten
        self._magnitudes = self._magnitudes[forgotten:]
        self._lengths = self._lengths[forgotten:]
        # Where there is nothing, a share of nothing is all the same.
        return np.divide(background, np.maximum(here, NOTHING), dtype=np.float32)

    def _likeness(self, start: int, end: int) -> tuple[int, Floats]:
        """The first of the frames around those asked for, and the cosines of all of them with all that are kept."""
        first = max(start - self._around, 0)
        rows = slice(first, end + self._around)
        cosines = self._magnitudes[rows] @ self._magnitudes.T
        cosines /= self._lengths[rows, None]
        cosines /= self._lengths
        return first, cosines


@kernel
def _choose(
    likeness: Floats,
    first: int,
    start: int,
    around: int,
    reach: int,
    apart: int,
    away: int,
    chosen: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> None:
    """Of each frame from `start` on those most like it, the most alike first.

    `likeness` has a row for each frame from `first` on; along its diagonals lie the frames around two frames.
    """
    total = likeness.shape[1]
    row = np.empty(total, dtype=np.float32)
    for number in range(counts.shape[0]):
        frame = start + number
        begin, end = max(frame - reach, 0), min(frame + reach + 1, total)
        row[begin:end] = np.float32(0.0)
        for shift in range(-around, around + 1):
            place = frame + shift - first
            if place < 0 or place >= likeness.shape[0]:
                continue
            low, high = max(begin, -shift), min(end, total - shift)
            to, other = row[low:high], likeness[place, low + shift : high + shift]
            for at in range(to.shape[0]):
                to[at] += other[at]
        for at in range(max(frame - away + 1, 0), min(frame + away, total)):
            row[at] = np.float32(-1.0)
        window = row[begin:end]
        count = 0
        while count < chosen.shape[1]:
            best = np.argmax(window)
            if window[best] <= np.float32(0.0):
                break
            chosen[number, count] = begin + best
            count += 1
            for at in range(max(best - apart + 1, 0), min(best + apart, window.shape[0])):
                window[at] = np.float32(-1.0)
        counts[number] = count


@kernel
def _medians(
    magnitudes: Floats,
    start: int,
    chosen: NDArray[np.int64],
    counts: NDArray[np.int64],
    background: Floats,
) -> None:
    """The median of each frame from `start` on and those chosen for it, at most what the frame has itself."""
    lowest = np.empty((chosen.shape[1] // 2 + 2, LANES), dtype=np.float32)
    rising = np.empty(LANES, dtype=np.float32)
    for number in range(background.shape[0]):
        total = counts[number] + 1
        kept = total // 2 + 1
        frame = magnitudes[start + number]
        for first in range(0, frame.shape[0], LANES):
            lanes = min(LANES, frame.shape[0] - first)
            for place in range(kept):
                lowest[place] = np.inf
            for member in range(total):
                other = start + number if member == 0 else chosen[number, member - 1]
                part = magnitudes[other, first : first + lanes]
                for lane in range(lanes):
                    rising[lane] = part[lane]
                for place in range(min(kept, member + 1)):
                    row = lowest[place]
                    for lane in range(lanes):
                        low = row[lane] if row[lane] < rising[lane] else rising[lane]
                        rising[lane] = rising[lane] if row[lane] < rising[lane] else row[lane]
                        row[lane] = low
            upper, lower = lowest[kept - 1], lowest[kept - 1 - (total + 1) % 2]
            own, to = frame[first : first + lanes], background[number, first : first + lanes]
            for lane in range(lanes):
                middle = np.float32(0.5) * (upper[lane] + lower[lane])
                to[lane] = middle if middle < own[lane] else own[lane]
