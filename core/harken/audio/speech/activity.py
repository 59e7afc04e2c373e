"""Which frames sound: those that stand above what is heard between sounds, in the ten seconds around them.

The threshold lies above the low levels of those seconds by a share of the way to their high ones, and no more than so
much below these. Low and high are percentiles of the frames' levels, after the statistics that follow noise through
speech (Martin 2001, "Noise power spectral density estimation based on optimal smoothing and minimum statistics").
"""

from typing import Final

import numpy as np

from harken.audio.blocks import Bytes, Floats
from harken.audio.kernel import kernel

STEP_DB: Final = 0.5  # of a level that is kept as a byte
LEAST_DB: Final = -100.0
SECOND: Final = 43  # frames
AROUND: Final = 5  # seconds before and after
LOW_SHARE: Final = 0.10
HIGH_SHARE: Final = 0.95
RISE: Final = 0.25  # of the way from low to high
LEAST_RISE_DB: Final = 3.0  # the level of noise alone strays so far
RANGE_DB: Final = 30.0  # below the high levels nothing of speech is left but its reverberation


def as_bytes(levels: Floats) -> Bytes:
    """Levels in dB as steps of half a dB from −100."""
    return np.clip(np.rint((levels - LEAST_DB) / STEP_DB), 0, 255).astype(np.uint8)


def as_levels(steps: Bytes) -> Floats:
    """And back."""
    return steps.astype(np.float32) * np.float32(STEP_DB) + np.float32(LEAST_DB)


def thresholds(steps: Bytes) -> Bytes:
    """The step above which a frame sounds, one a second of frames."""
    seconds = -(-steps.shape[0] // SECOND)
    found = np.zeros(seconds, dtype=np.uint8)
    _thresholds(steps, found)
    return found


@kernel
def _thresholds(steps: Bytes, found: Bytes) -> None:
    counts = np.zeros(256, dtype=np.int64)
    seconds = found.shape[0]
    for second in range(-AROUND, seconds):
        entering, leaving = second + AROUND, second - AROUND - 1
        if entering < seconds:
            for step in steps[entering * SECOND : (entering + 1) * SECOND]:
                counts[step] += 1
        if leaving >= 0:
            for step in steps[leaving * SECOND : (leaving + 1) * SECOND]:
                counts[step] -= 1
        if second < 0:
            continue
        total = counts.sum()
        below, low, high = 0, -1, 0
        for step in range(256):
            below += counts[step]
            if low < 0 and below > LOW_SHARE * total:
                low = step
            if below >= HIGH_SHARE * total:
                high = step
                break
        rise = max(RISE * (high - low), LEAST_RISE_DB / STEP_DB)
        found[second] = min(255, max(high - RANGE_DB / STEP_DB, low + rise))
