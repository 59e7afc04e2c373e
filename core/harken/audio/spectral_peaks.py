"""The peaks of a spectrum that last, and the pitch of each: one kernel for a block of frames.

After Gómez (2006), "Tonal description of music audio signals" (HPCP): only spectral peaks count,
each with its interpolated frequency. A peak here must also stand clear of its surroundings and
last: noise and drums have peaks everywhere, but rarely twice in the same place.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from harken.audio.blocks import FRAME, HOP, SAMPLE_RATE, Doubles, Floats
from harken.audio.kernel import kernel

LOWEST_HZ: Final = 40.0  # the lowest string of a bass is E1, 41 Hz; below is rumble
HIGHEST_HZ: Final = 2000.0  # above, partials say more than fundamentals
C_HZ: Final = 440.0 * 2.0 ** (-9 / 12)
STEPS: Final = 120  # pitch classes in tenths of a semitone, C first
APART: Final = FRAME // HOP  # frames after which windows no longer overlap: 93 ms
CLEAR: Final = np.float32(2.5)  # a peak stands this many times (8 dB) above the mean around it
REACH: Final = 15  # bins of that surrounding to either side, 160 Hz
# A full-scale sine has 512. What is 100 dB below is the last bit of 16, not music.
QUIETEST: Final = np.float32(0.005)

FIRST: Final = int(np.ceil(LOWEST_HZ * FRAME / SAMPLE_RATE))
SEMITONE_BIN: Final = 17  # bins are narrower than a semitone above
END: Final = int(HIGHEST_HZ * FRAME / SAMPLE_RATE)
BAND: Final = END - FIRST
BIN_ABOVE_C: Final = SAMPLE_RATE / FRAME / C_HZ

Marks = NDArray[np.uint8]


def no_marks() -> Marks:
    """The peaks of the APART frames before the first."""
    return np.zeros((BAND + 2, APART), dtype=np.uint8)


@kernel
def add_lasting_peaks(
    magnitude: Floats, earlier: Marks, start: int, every: int, segments: Doubles, strengths: Doubles
) -> None:
    """Add the lasting peaks of frames to the pitch histograms of the segments they lie in.

    `magnitude` has shape (bins, frames). `segments`, shape (n, STEPS), holds a histogram for every
    `every` frames; the first frame is number `start` of the first. Every frame speaks with the same
    voice, its strongest peak being 1; the others count by the square root of their magnitude.
    `strengths` gains, over frames, the root of the strongest bin's magnitude and the part of it
    that goes with a lasting peak. `earlier` holds peaks of the frames before and is brought up to
    date.
    """
    frames = magnitude.shape[1]
    # Peaks: above both neighbours and clear of the mean around, which slides along with the bins.
    marks = np.zeros((BAND + 2, APART + frames), dtype=np.uint8)  # with a rim above and below
    marks[:, :APART] = earlier
    loudest = np.zeros(frames, dtype=np.float32)
    around = np.zeros(frames, dtype=np.float32)
    for bin_ in range(1, FIRST + REACH):
        entering = magnitude[bin_]
        for frame in range(frames):
            around[frame] += entering[frame]
    for band in range(BAND):
        bin_ = FIRST + band
        below, here, above = magnitude[bin_ - 1], magnitude[bin_], magnitude[bin_ + 1]
        entering, leaving = magnitude[bin_ + REACH], magnitude[max(bin_ - REACH - 1, 0)]
        stays = np.float32(bin_ > REACH + 1)  # bin 0 has no pitch and was never let in
        share = CLEAR / np.float32(min(2 * REACH + 1, bin_ + REACH))
        row = marks[band + 1, APART:]
        for frame in range(frames):
            around[frame] += entering[frame] - stays * leaving[frame]
            level = here[frame]
            loudest[frame] = max(loudest[frame], level)
            row[frame] = (
                (level > below[frame])
                & (level >= above[frame])
                & (level > share * around[frame])
                & (level > QUIETEST)
            )

    # Of them, those that were there APART frames before, at low pitches in the very same bin.
    lasting = np.zeros((BAND, frames), dtype=np.uint8)
    strongest = np.zeros(frames, dtype=np.float32)
    for band in range(BAND):
        row, kept, here = marks[band + 1, APART:], lasting[band], magnitude[FIRST + band]
        beside = int(FIRST + band > SEMITONE_BIN)
        before = marks[band + 1]
        before_low, before_high = marks[band + 1 - beside], marks[band + 1 + beside]
        for frame in range(frames):
            kept[frame] = row[frame] & (before_low[frame] | before[frame] | before_high[frame])
            strongest[frame] = max(strongest[frame], np.float32(kept[frame]) * here[frame])
    earlier[:] = marks[:, frames:]

    # The few that are left go into the histograms.
    for frame in range(frames):
        if loudest[frame] > 0:
            root = np.sqrt(np.float64(loudest[frame]))
            strengths[0] += root
            strengths[1] += root * strongest[frame] / loudest[frame]
    for band in range(BAND):
        bin_ = FIRST + band
        for frame in range(frames):
            if lasting[band, frame]:
                low, top, high = (
                    np.float64(magnitude[bin_ - 1, frame]),
                    np.float64(magnitude[bin_, frame]),
                    np.float64(magnitude[bin_ + 1, frame]),
                )
                # Exact for a sine under a Hann window, whose three bins these are.
                offset = 2.0 * (high - low) / (low + 2.0 * top + high)
                step = STEPS * np.log2((bin_ + offset) * BIN_ABOVE_C) % STEPS
                left = int(step)
                right_share = step - left
                weight = np.sqrt(top / strongest[frame])
                histogram = segments[(start + frame) // every]
                histogram[left % STEPS] += weight * (1.0 - right_share)
                histogram[(left + 1) % STEPS] += weight * right_share
